import { AVERAGE, TOGETHER } from '../evaluate/summaries.js';
import type { Line } from '../evaluate/table.js';
import { escapeHtml } from './html.js';

/** A list to choose one value of. `name` is the attribute that the script compares. */
function select(label: string, name: string, values: readonly string[]): string {
  const options = [...new Set(values)].map((value) => {
    const isSummary = name === 'type' && (value === AVERAGE || value === TOGETHER);
    const text = escapeHtml(value);
    return `<option value="${text}"${isSummary ? ' data-summary' : ''}>${text}</option>`;
  });
  return `<label>${label}<select name="${name}"><option value="">all</option>${options.join('')}</select></label>`;
}

/**
 * Lets the reader choose a type, a row and a detector. The page's script shows it, because it does nothing without the
 * script.
 */
export function filterBar(lines: readonly Line[]): string {
  const selects = [
    select('type', 'type', [AVERAGE, TOGETHER, ...lines.map(({ type }) => type)]),
    select(
      'trained on',
      'row',
      lines.map(({ row }) => row),
    ),
    select(
      'detector',
      'detector',
      lines.map(({ detector }) => detector),
    ),
  ];
  return `<div class="filters" id="filters" role="search" hidden>${selects.join('')}<output></output></div>`;
}

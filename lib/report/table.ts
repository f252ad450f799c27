/** Builds tables that the script of a page sorts and filters. */
import { escapeHtml, type Shown, shownAttributes } from './html.js';

/** A cell with a value. */
export interface ValueCell {
  /** HTML. */
  html: string;
  /** What the cell is sorted by. Cells without a value come last. */
  value: number | null;
  isBest?: boolean;
}

/** A line of a table. */
export interface TableLine {
  shown: Shown;
  /** The texts and numbers that name the line. They are escaped. */
  labels: readonly (string | number)[];
  cells: readonly ValueCell[];
}

/** Builds a table. `names` are the heads of all columns, first those of the labels. */
export function sortableTable(
  id: string,
  names: readonly string[],
  lines: readonly TableLine[],
  { withSummaries = false } = {},
): string {
  const head = names.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('');
  const body = lines.map(({ shown, labels, cells }) => {
    const heads = labels.map((label) => {
      const value = typeof label === 'number' ? ` data-value="${label}"` : '';
      return `<th scope="row"${value}>${escapeHtml(String(label))}</th>`;
    });
    const values = cells.map(({ html, value, isBest }, i) => {
      const name = escapeHtml(names[labels.length + i] as string);
      return `<td data-name="${name}" data-value="${value ?? ''}"${isBest ? ' class="best"' : ''}>${html}</td>`;
    });
    return `<tr${shownAttributes(shown)}>${heads.join('')}${values.join('')}</tr>`;
  });
  const classes = `scores${withSummaries ? ' with-summaries' : ''}`;
  return `<div class="wide"><table class="${classes}" id="${id}"><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
}

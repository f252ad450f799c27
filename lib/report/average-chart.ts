import { AVERAGE } from '../evaluate/summaries.js';
import { cellText, type Line } from '../evaluate/table.js';
import { chartLabel } from './chart-label.js';
import { escapeHtml, shownAttributes } from './html.js';

const percent = (share: number) => `${(100 * Math.min(Math.max(share, 0), 1)).toFixed(1)}%`;

/**
 * Draws the average pixel AP of each row as a bar, the best first. The whisker reaches one standard deviation over the
 * seeds to both sides.
 */
export function averageChart(lines: readonly Line[]): string {
  const average = lines.filter(({ type }) => type === AVERAGE);
  const sorted = [...average].sort((a, b) => (b.cells.pixelAp.mean ?? -1) - (a.cells.pixelAp.mean ?? -1));
  const bars = sorted.map((line) => {
    const { row, detector, cells } = line;
    const value = cells.pixelAp.mean ?? 0;
    const spread = cells.pixelAp.deviation ?? 0;
    const [from, to] = [Math.max(value - spread, 0), Math.min(value + spread, 1)];
    return (
      `<div class="bar-line"${shownAttributes({ row, detector })}><span>${escapeHtml(chartLabel(line, average))}</span>` +
      `<span class="track"><span class="bar" style="width:${percent(value)}"></span>` +
      `<span class="whisker" style="left:${percent(from)};width:${percent(to - from)}"></span></span>` +
      `<span>${cellText(cells.pixelAp)}</span></div>`
    );
  });
  return `<h2>Average pixel AP</h2><div id="average">${bars.join('\n')}</div>`;
}

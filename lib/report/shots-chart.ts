/** Draws what the number of real photographs is worth: the average pixel AP of each row over the number of shots. */
import { worthOf } from '../evaluate/shots-worth.js';
import { AVERAGE, type Line } from '../evaluate/table.js';
import { chartLabel } from './chart-label.js';
import { escapeHtml } from './html.js';

const WIDTH = 760;
const HEIGHT = 300;
const MARGIN = { left: 56, right: 190, top: 12, bottom: 40 };
/** The hues of neighbouring rows are this many degrees apart, so that they never repeat. */
const HUE_STEP = 137.5;

const colourOf = (index: number) => `hsl(${(index * HUE_STEP) % 360} 65% 42%)`;

interface Point {
  shots: number;
  /** 0 to 1. */
  value: number;
}

/** Returns the points of each row and detector, by the number of shots. Values that do not exist have no point. */
function pointsOf(lines: readonly Line[]): Map<string, Point[]> {
  const rows = new Map<string, Point[]>();
  for (const line of lines) {
    const { type, shots, cells } = line;
    const value = cells.pixelAp.mean;
    if (type !== AVERAGE || shots === undefined || value === null) continue;
    const label = chartLabel(line, lines);
    rows.set(label, [...(rows.get(label) ?? []), { shots, value }]);
  }
  for (const points of rows.values()) points.sort((a, b) => a.shots - b.shots);
  return rows;
}

/** The numbers of shots are on a logarithmic scale, because each doubling is worth about as much as the last one. */
export function shotsChart(lines: readonly Line[]): string {
  const rows = pointsOf(lines);
  const counts = [...new Set([...rows.values()].flat().map(({ shots }) => shots))].sort((a, b) => a - b);
  const [least = 1] = counts;
  const range = Math.max(Math.log2((counts.at(-1) ?? 1) / least), 1);
  const x = (shots: number) => MARGIN.left + (Math.log2(shots / least) / range) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number) => MARGIN.top + (1 - value) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (value) =>
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(value)}" y2="${y(value)}" class="grid"/>` +
      `<text x="${MARGIN.left - 6}" y="${y(value) + 4}" text-anchor="end">${100 * value}</text>`,
  );
  const columns = counts.map(
    (shots) => `<text x="${x(shots)}" y="${HEIGHT - 22}" text-anchor="middle">${shots}</text>`,
  );
  const curves = [...rows].map(([row, points], i) => {
    const colour = colourOf(i);
    const at = ({ shots, value }: Point) => `${x(shots).toFixed(1)},${y(value).toFixed(1)}`;
    const legend = MARGIN.top + 16 * (i + 1);
    return (
      `<polyline points="${points.map(at).join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>` +
      points.map((point) => `<circle cx="${x(point.shots)}" cy="${y(point.value)}" r="3" fill="${colour}"/>`).join('') +
      `<text x="${WIDTH - MARGIN.right + 12}" y="${legend}" fill="${colour}">${escapeHtml(row)}</text>`
    );
  });
  // A line leads from each point to the number of real photographs alone that have the same value.
  const rowNames = [...rows.keys()];
  const worths = worthOf(lines).filter(({ beyond }) => beyond === undefined);
  const bridges = worths.map(({ row, detector, shots, value, photographs }) => {
    const [from, to] = [x(shots).toFixed(1), x(photographs).toFixed(1)];
    const colour = colourOf(rowNames.indexOf(chartLabel({ row, detector }, lines)));
    return `<line class="worth" x1="${from}" x2="${to}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" stroke="${colour}" stroke-dasharray="3 4" opacity="0.6"/>`;
  });
  const height = Math.max(HEIGHT, MARGIN.top + 16 * (rows.size + 2));
  return `<svg id="shots" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Average pixel AP of each row over the number of real photographs">
${grid.join('\n')}
${columns.join('\n')}
${bridges.join('\n')}
<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 4}" text-anchor="middle">real photographs of each type</text>
${curves.join('\n')}
</svg>`;
}

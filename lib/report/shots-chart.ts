/** Draws what the number of real photographs is worth: the pixel AP of each row over the number of shots. */
import { worthOf } from '../evaluate/shots-worth.js';
import { AVERAGE, TOGETHER } from '../evaluate/summaries.js';
import type { Line } from '../evaluate/table.js';
import { chartLabel } from './chart-label.js';
import { escapeHtml, type Shown, shownAttributes } from './html.js';

const WIDTH = 480;
const HEIGHT = 280;
const MARGIN = { left: 34, right: 12, top: 12, bottom: 40 };
/** The hues of neighbouring curves are this many degrees apart, so that they never repeat. */
const HUE_STEP = 137.5;

/** A colour that can be read on a light and on a dark ground. */
const colourOf = (index: number) => `hsl(${(index * HUE_STEP + 210) % 360} 60% 50%)`;

interface Point {
  shots: number;
  /** 0 to 1. */
  value: number;
}

interface Curve {
  label: string;
  shown: Shown;
  colour: string;
  points: Point[];
}

/** Returns the curve of each row and detector for a type. Values that do not exist have no point. */
function curvesOf(lines: readonly Line[], wanted: string): Curve[] {
  const curves = new Map<string, Curve>();
  for (const line of lines) {
    const { type, row, detector, shots, cells } = line;
    if (type !== wanted || shots === undefined) continue;
    const label = chartLabel(line, lines);
    const known = curves.get(label);
    const curve = known ?? { label, shown: { row, detector }, colour: colourOf(curves.size), points: [] };
    curves.set(label, curve);
    const value = cells.pixelAp.mean;
    if (value !== null) curve.points.push({ shots, value });
  }
  for (const { points } of curves.values()) points.sort((a, b) => a.shots - b.shots);
  return [...curves.values()];
}

/** Draws the curves of a type. The lines of what pairs are worth belong to the average. */
function typeChart(lines: readonly Line[], type: string): string {
  const curves = curvesOf(lines, type);
  const counts = [...new Set(lines.flatMap(({ shots }) => shots ?? []))].sort((a, b) => a - b);
  const [least = 1] = counts;
  // The scale is logarithmic, because each doubling is worth about as much as the last one.
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
  const worths = type === AVERAGE ? worthOf(lines).filter(({ beyond }) => beyond === undefined) : [];
  const drawn = curves.map(({ label, shown, colour, points }) => {
    const at = ({ shots, value }: Point) => `${x(shots).toFixed(1)},${y(value).toFixed(1)}`;
    // A line leads from each point to the number of real photographs alone that have the same value.
    const bridges = worths
      .filter((worth) => chartLabel(worth, lines) === label)
      .map(({ shots, value, photographs }) => {
        const [from, to] = [x(shots).toFixed(1), x(photographs).toFixed(1)];
        return `<line class="worth" x1="${from}" x2="${to}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" stroke="${colour}" stroke-dasharray="3 4" opacity="0.6"/>`;
      });
    return (
      `<g${shownAttributes(shown)}><polyline points="${points.map(at).join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>` +
      points.map((point) => `<circle cx="${x(point.shots)}" cy="${y(point.value)}" r="3" fill="${colour}"/>`).join('') +
      `${bridges.join('')}</g>`
    );
  });
  const legend = curves.map(
    ({ label, shown, colour }) =>
      `<span${shownAttributes(shown)}><i style="background:${colour}"></i><span>${escapeHtml(label)}</span></span>`,
  );
  const name = escapeHtml(type);
  const attributes = type === AVERAGE ? '' : shownAttributes({ type });
  return `<figure${attributes}><h3>${name}</h3><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Pixel AP of each row over the number of real photographs: ${name}">
${grid.join('\n')}
${columns.join('\n')}
<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 4}" text-anchor="middle">real photographs of each type</text>
${drawn.join('\n')}
</svg><div class="legend">${legend.join(' ')}</div></figure>`;
}

/** Draws the curves of the average and of each type. */
export function shotsChart(lines: readonly Line[]): string {
  const types = [...new Set(lines.map(({ type }) => type))].filter((type) => type !== AVERAGE && type !== TOGETHER);
  const charts = [AVERAGE, ...types].map((type) => typeChart(lines, type));
  return `<h2>Pixel AP by real photographs</h2><div class="curves" id="shots">${charts.join('\n')}</div>`;
}

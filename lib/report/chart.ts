/**
 * Draws a loss curve as SVG on a logarithmic scale: a faint line for all steps, and a strong line for their running
 * mean.
 */

const WIDTH = 480;
const HEIGHT = 220;
const MARGIN = { left: 48, right: 12, top: 12, bottom: 34 };

export interface LossPoint {
  step: number;
  loss: number;
}

/** Returns the exponential running mean of the losses. It is smoother if there are more points. */
export function smooth(points: readonly LossPoint[]): LossPoint[] {
  const weight = Math.max(0.02, 1 / Math.max(1, points.length / 20));
  let mean = points[0]?.loss ?? 0;
  return points.map(({ step, loss }) => {
    mean += weight * (loss - mean);
    return { step, loss: mean };
  });
}

function path(points: readonly LossPoint[], x: (step: number) => number, y: (loss: number) => number): string {
  return points
    .map(({ step, loss }, i) => `${i === 0 ? 'M' : 'L'}${x(step).toFixed(1)},${y(loss).toFixed(1)}`)
    .join('');
}

export function lossChart(points: readonly LossPoint[]): string {
  if (points.length === 0) return '<p>No training steps were logged.</p>';
  const losses = points.map((point) => Math.max(point.loss, 1e-6));
  const low = Math.log10(Math.min(...losses));
  const high = Math.max(Math.log10(Math.max(...losses)), low + 0.1);
  const firstStep = points[0]?.step ?? 1;
  const lastStep = Math.max(points.at(-1)?.step ?? 1, firstStep + 1);
  const x = (step: number) =>
    MARGIN.left + ((step - firstStep) / (lastStep - firstStep)) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (loss: number) =>
    MARGIN.top + ((high - Math.log10(Math.max(loss, 1e-6))) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const rows = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const loss = 10 ** (low + part * (high - low));
    return (
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(loss)}" y2="${y(loss)}" class="grid"/>` +
      `<text x="${MARGIN.left - 6}" y="${y(loss) + 4}" text-anchor="end">${loss.toPrecision(2)}</text>`
    );
  });
  const columns = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const step = Math.round(firstStep + part * (lastStep - firstStep));
    return `<text x="${x(step)}" y="${HEIGHT - 12}" text-anchor="middle">${step}</text>`;
  });
  return `<svg id="loss" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Training loss by step">
${rows.join('\n')}
${columns.join('\n')}
<path d="${path(points, x, y)}" class="raw"/>
<path d="${path(smooth(points), x, y)}" class="mean"/>
</svg>`;
}

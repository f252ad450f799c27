/** Draws histograms of two sets of values side by side, as SVG. */
import { html } from './html.js';

const WIDTH = 360;
const HEIGHT = 150;
const MARGIN = { left: 8, right: 8, top: 10, bottom: 24 };

/** A bin of a histogram, from `from` up to but not including `to`. */
export interface Bin {
  from: number;
  to: number;
  /** The text at the lower end of the bin. */
  label: string;
}

/** The values of a histogram. */
export interface Values {
  real: readonly number[];
  generated: readonly number[];
}

/** Returns the share of the values in each bin. Values beyond the bins count in the first or the last one. */
export function sharesIn(bins: readonly Bin[], values: readonly number[]): number[] {
  const counts = bins.map(() => 0);
  for (const value of values) {
    const found = bins.findIndex(({ to }) => value < to);
    counts[found < 0 ? bins.length - 1 : found] = (counts[found < 0 ? bins.length - 1 : found] as number) + 1;
  }
  return counts.map((count) => count / Math.max(values.length, 1));
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

export interface HistogramProps {
  title: string;
  bins: readonly Bin[];
  values: Values;
}

/** A histogram. In each bin, the left bar is the share of the real values, and the right one that of the others. */
export function Histogram({ title, bins, values: { real, generated } }: HistogramProps) {
  const shares = { real: sharesIn(bins, real), generated: sharesIn(bins, generated) };
  const most = Math.max(...shares.real, ...shares.generated, Number.MIN_VALUE);
  const step = (WIDTH - MARGIN.left - MARGIN.right) / bins.length;
  const tall = HEIGHT - MARGIN.top - MARGIN.bottom;
  const floor = MARGIN.top + tall;
  const bar = (name: keyof Values, i: number, place: number) => {
    const share = shares[name][i] as number;
    const height = (tall * share) / most;
    const x = MARGIN.left + i * step + (0.08 + 0.42 * place) * step;
    return html`<rect class=${name} x=${x.toFixed(1)} y=${(floor - height).toFixed(1)} width=${(0.42 * step).toFixed(1)}
      height=${height.toFixed(1)}><title>${name}, from ${(bins[i] as Bin).label}: ${percent(share)}</title></rect>`;
  };
  const described = bins.map(
    ({ label }, i) =>
      `${label}: ${percent(shares.real[i] as number)} real, ${percent(shares.generated[i] as number)} generated`,
  );
  return html`<figure><svg class="histogram" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img"
      aria-label="${title}. From ${described.join('; from ')}">
      ${bins.map(
        ({ label }, i) =>
          html`${bar('real', i, 0)}${bar('generated', i, 1)}<text x=${(MARGIN.left + i * step).toFixed(1)} y=${HEIGHT - 8}>${label}</text>`,
      )}
      <line class="grid" x1=${MARGIN.left} x2=${WIDTH - MARGIN.right} y1=${floor} y2=${floor} />
    </svg><figcaption>${title}</figcaption></figure>`;
}

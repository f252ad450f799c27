/** Compares the sizes and the positions of generated defects with those of the real ones. */
import { type Bin, Histogram } from './histogram.js';
import { html } from './html.js';
import type { Shape } from './pair.js';

export interface ShapeHistogramsProps {
  real: readonly Shape[];
  generated: readonly Shape[];
  /** True if pairs show whole photographs, so that positions in them mean something. */
  showsPlaces: boolean;
}

/** The positions of defects are counted in this number of bins. */
const POSITION_BINS = 8;
/** Sizes that differ by less than this factor are in one bin, or by its square if there would be too many bins. */
const SIZE_STEP = 2;
const MOST_SIZE_BINS = 10;

const percentText = (share: number) => `${Number((100 * share).toPrecision(2))} %`;

/** Returns bins that hold all sizes. Each reaches from one power of a factor to the next. */
export function sizeBins(sizes: readonly number[]): Bin[] {
  const [low, high] = [sizes.reduce((a, b) => Math.min(a, b)), sizes.reduce((a, b) => Math.max(a, b))];
  for (let step = SIZE_STEP; ; step *= step) {
    const exponent = (size: number) => Math.floor(Math.log2(size) / Math.log2(step));
    const count = exponent(high) - exponent(low) + 1;
    if (count > MOST_SIZE_BINS) continue;
    return Array.from({ length: count }, (_, i) => {
      const from = step ** (exponent(low) + i);
      return { from, to: from * step, label: percentText(from) };
    });
  }
}

const POSITIONS: Bin[] = Array.from({ length: POSITION_BINS }, (_, i) => ({
  ...{ from: i / POSITION_BINS, to: (i + 1) / POSITION_BINS },
  label: `${Math.round((100 * i) / POSITION_BINS)} %`,
}));

/** Histograms of the defects' sizes, and with `showsPlaces` of their positions, if there is anything to compare. */
export function ShapeHistograms({ real, generated, showsPlaces }: ShapeHistogramsProps) {
  if (generated.length === 0 || real.length === 0) return null;
  const chart = (key: keyof Shape, title: string, binsOf: (values: number[]) => readonly Bin[]) => {
    const values = { real: real.map((shape) => shape[key]), generated: generated.map((shape) => shape[key]) };
    return html`<${Histogram} title=${title} bins=${binsOf([...values.real, ...values.generated])} values=${values} />`;
  };
  return html`
    <p class="legend"><span><i class="real"></i>${real.length} real defects</span><span><i class="generated"></i>${generated.length} generated ones</span></p>
    <div class="charts">
      ${chart('area', 'Size: share of the image that a defect covers', sizeBins)}
      ${showsPlaces && chart('x', 'Position from left to right', () => POSITIONS)}
      ${showsPlaces && chart('y', 'Position from top to bottom', () => POSITIONS)}
    </div>`;
}

/** Compares the sizes and the positions of generated defects with those of the real ones. */
import type { DefectShape } from '../dataset/defect-shape.js';
import { type Bin, histogram } from './histogram.js';

/** The shapes of the defects in real images and in generated pairs, one list for each image. */
export interface Shapes {
  real: readonly (readonly DefectShape[])[];
  generated: readonly (readonly DefectShape[])[];
}

/** The positions of defects are counted in this number of bins. */
const POSITION_BINS = 8;
/** Sizes that differ by less than this factor are in one bin, or by its square if there would be too many bins. */
const SIZE_STEP = 2;
const MOST_SIZE_BINS = 10;

const percentText = (share: number) => `${Number((100 * share).toPrecision(2))} %`;

/** Returns bins that hold all sizes. Each reaches from one power of a factor to the next. */
export function sizeBins(sizes: readonly number[]): Bin[] {
  const [low, high] = [Math.min(...sizes), Math.max(...sizes)];
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

const positionBins: Bin[] = Array.from({ length: POSITION_BINS }, (_, i) => ({
  ...{ from: i / POSITION_BINS, to: (i + 1) / POSITION_BINS },
  label: `${Math.round((100 * i) / POSITION_BINS)} %`,
}));

/**
 * Draws histograms of the defects' sizes, and with `showsPlaces` of their positions. Returns an empty text if there is
 * nothing to compare.
 */
export function shapeHistograms({ real, generated }: Shapes, showsPlaces: boolean): string {
  const [ours, theirs] = [generated.flat(), real.flat()];
  if (ours.length === 0 || theirs.length === 0) return '';
  const of = (key: keyof DefectShape) => ({
    real: theirs.map((shape) => shape[key]),
    generated: ours.map((shape) => shape[key]),
  });
  const area = of('area');
  const charts = [
    histogram('Size: share of the image that a defect covers', sizeBins([...area.real, ...area.generated]), area),
    ...(showsPlaces
      ? [
          histogram('Position from left to right', positionBins, of('x')),
          histogram('Position from top to bottom', positionBins, of('y')),
        ]
      : []),
  ];
  return `<h2>Sizes${showsPlaces ? ' and positions' : ''}</h2>
<p class="legend"><span><i class="real"></i>${theirs.length} real defects</span><span><i class="generated"></i>${ours.length} generated ones</span></p>
<div class="charts" id="shapes">${charts.join('\n')}</div>`;
}

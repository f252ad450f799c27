/** Lets places end softly, because the straight edge of a place would cut its defect. */
import type { PixelData } from '../../core/image.js';
import { boundingBox } from '../../dataset/fit.js';
import type { WindowGrid } from '../../dataset/photograph-window.js';
import { type DefectPixels, dilated, squareMask } from './defect-pixels.js';

/** An automatic place falls off over this number of pixels of the model towards the edges that cut it. */
const AUTOMATIC_WIDTH = 8;
/** A region falls off over this number of pixels of the model at most. Half of its depth keeps its full weight. */
const REGION_WIDTH = 4;
/** A mask touches the border of its window from this share of the window's side on. */
const BORDER = 1 / 64;

/** The sides of a window that cut a defect. */
export interface CutSides {
  left: boolean;
  top: boolean;
  right: boolean;
  bottom: boolean;
}

/** Finds the sides of a square window that a mask touches. */
export function cutSides(mask: Uint8Array): CutSides {
  const side = Math.sqrt(mask.length);
  const border = Math.max(1, Math.round(side * BORDER));
  const box = boundingBox(squareMask(mask, side));
  if (!box) return { left: false, top: false, right: false, bottom: false };
  return {
    ...{ left: box.left < border, right: box.left + box.width > side - border },
    ...{ top: box.top < border, bottom: box.top + box.height > side - border },
  };
}

/** If at least this share of the examples shows whole defects, automatic places are made of these alone. */
const MIN_WHOLE = 1 / 3;

/** Returns the examples of which no side is cut, or all if these are few. */
export function wholeExamples<Example extends DefectPixels>(examples: readonly Example[]): readonly Example[] {
  const whole = examples.filter(({ mask }) => !Object.values(cutSides(mask)).includes(true));
  return whole.length > 0 && whole.length >= MIN_WHOLE * examples.length ? whole : examples;
}

/**
 * Returns the weights, 0 to 255, of a place that a moved defect has made. They fall off towards the window's border and
 * towards the sides of the defect that were cut, but not towards the border of the photograph: a crack may run out of it.
 */
export function softAutomaticPlace(
  place: Uint8Array,
  defect: DefectPixels,
  cut: CutSides,
  grid: WindowGrid,
  photograph: PixelData,
): Uint8Array {
  const { resolution } = grid;
  const box = boundingBox(squareMask(defect.mask, resolution));
  const isCut = (column: number, row: number) =>
    box !== undefined &&
    ((cut.left && column < box.left) ||
      (cut.top && row < box.top) ||
      (cut.right && column >= box.left + box.width) ||
      (cut.bottom && row >= box.top + box.height));
  const distances = distancesTo(
    (column, row) => grid.isInside(column, row, photograph) && (!isInWindow(column, row, grid) || isCut(column, row)),
    resolution,
    AUTOMATIC_WIDTH,
  );
  return weighted(place, distances, AUTOMATIC_WIDTH);
}

/**
 * Returns the weights, 0 to 255, of the place of a region. They fall off inside the region towards its edges, but not
 * towards the border of the photograph. The middle of a region keeps its full weight, however narrow it is.
 */
export function softRegionPlace(place: Uint8Array, grid: WindowGrid, photograph: PixelData): Uint8Array {
  const { resolution } = grid;
  const isOpen = (column: number, row: number) =>
    isInWindow(column, row, grid) && (place[row * resolution + column] as number) > 0;
  const distances = distancesTo(
    (column, row) => grid.isInside(column, row, photograph) && !isOpen(column, row),
    resolution,
    2 * REGION_WIDTH,
  );
  const depth = distances.reduce(
    (most, distance, i) => ((place[i] as number) > 0 ? Math.max(most, distance) : most),
    0,
  );
  return weighted(place, distances, Math.min(REGION_WIDTH, Math.floor(depth / 2)));
}

const isInWindow = (column: number, row: number, { resolution }: WindowGrid) =>
  Math.min(column, row) >= 0 && Math.max(column, row) < resolution;

/**
 * Returns how far each pixel of a window is from the nearest end, in rows or columns. Ends may lie outside the window.
 * From `reach` + 1 on, distances are not told apart.
 */
function distancesTo(isEnd: (column: number, row: number) => boolean, resolution: number, reach: number): Uint8Array {
  const side = resolution + 2 * reach;
  let near: Uint8Array = Uint8Array.from({ length: side * side }, (_, i) =>
    isEnd((i % side) - reach, Math.floor(i / side) - reach) ? 255 : 0,
  );
  const distances = new Uint8Array(resolution * resolution);
  for (let count = 0; count <= reach; count++) {
    for (let i = 0; i < distances.length; i++) {
      const at = (Math.floor(i / resolution) + reach) * side + (i % resolution) + reach;
      if (near[at] === 0) distances[i] = count + 1;
    }
    near = dilated(near, side, 1);
  }
  return distances;
}

/** Weighs the pixels of a place by their distances to its ends. They have their full weight from beyond `width` on. */
const weighted = (place: Uint8Array, distances: Uint8Array, width: number): Uint8Array =>
  place.map((value, i) => (value > 0 ? Math.round(255 * Math.min(1, (distances[i] as number) / (width + 1))) : 0));

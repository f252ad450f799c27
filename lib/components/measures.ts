/** Measures pairs, so that they can be filtered and sorted. */
import type { Shape, ShownPair } from './pair.js';

/** What a mask marks in an image. */
type Measured = Pick<ShownPair, 'area' | 'box' | 'width' | 'height'>;

/** Returns the share of the image that the mask marks, 0 to 1. */
export const shareOf = ({ area, width, height }: Measured): number => (width === 0 ? 0 : area / (width * height));

/** Returns the middle of the mask's box as shares of the image's width and height. */
function middleOf({ box, width, height }: Measured): [x: number, y: number] | undefined {
  return box ? [(box.left + box.width / 2) / width, (box.top + box.height / 2) / height] : undefined;
}

const third = (share: number) => Math.min(Math.floor(3 * share), 2);

/** The ninths of an image, row by row. */
export const PLACES = [
  ...['top left', 'top', 'top right'],
  ...['left', 'middle', 'right'],
  ...['bottom left', 'bottom', 'bottom right'],
] as const;

/** Returns the ninth of the image that the middle of the mask is in. A pair without a marked pixel has none. */
export function placeOf(pair: ShownPair): string | undefined {
  const middle = middleOf(pair);
  return middle && PLACES[3 * third(middle[1]) + third(middle[0])];
}

/** A number that a pair may have. */
export interface Measure {
  name: string;
  /** What the shown number is multiplied by, with its unit. */
  scale: number;
  unit: string;
  valueOf(pair: ShownPair): number | undefined;
}

export const MEASURES = {
  size: {
    name: 'Size',
    scale: 100,
    unit: '%',
    valueOf: (pair) => (pair.hasMask && pair.width > 0 ? shareOf(pair) : undefined),
  },
  agreement: { name: 'Agreement', scale: 1, unit: '', valueOf: ({ agreement }) => agreement },
  contrast: { name: 'Contrast', scale: 100, unit: '%', valueOf: ({ contrast }) => contrast },
  changeIou: { name: 'IoU of change', scale: 1, unit: '', valueOf: ({ changeIou }) => changeIou },
} as const satisfies Record<string, Measure>;
export type MeasureName = keyof typeof MEASURES;

/** Returns how far the mask's middle is from the left, and from the top, as shares of the image. */
export const fromLeft = (pair: ShownPair): number | undefined => middleOf(pair)?.[0];
export const fromTop = (pair: ShownPair): number | undefined => middleOf(pair)?.[1];

/** Returns the size and the place of what a mask marks, or nothing if it is empty. */
export function shapeOf(pair: Measured): Shape[] {
  const middle = middleOf(pair);
  return middle ? [{ area: shareOf(pair), x: middle[0], y: middle[1] }] : [];
}

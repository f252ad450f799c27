/** Measures the defects in a mask in shares of the image, so that images of different sizes can be compared. */
import type { PixelData } from '../core/image.js';
import { type Defect, defectsIn } from './components.js';
import { middleOf, type Size } from './cut.js';

/** The size and the position of a defect. Every number is a share of the image, 0 to 1. */
export interface DefectShape {
  /** The marked pixels as a share of all pixels. */
  area: number;
  /** The middle of the box around the defect, as shares of the image's width and height. */
  x: number;
  y: number;
}

/** Returns the shape of a defect that was found in an image of this size. */
export function shapeOf({ box, area }: Pick<Defect, 'box' | 'area'>, { width, height }: Size): DefectShape {
  const middle = middleOf(box);
  return { area: area / (width * height), x: middle.x / width, y: middle.y / height };
}

/** Returns the shapes of all defects in a mask of 0 and 255. The list is empty for an empty mask. */
export const shapesIn = (mask: PixelData): DefectShape[] => defectsIn(mask).map((defect) => shapeOf(defect, mask));

/** Loads the squares that pairs without a model are made of. */
import type { PixelData } from '../core/image.js';
import { Dataset, type Example } from '../dataset/dataset.js';
import { loadGoodWindows } from '../dataset/good-regions.js';
import type { ImageSource } from '../dataset/image-source.js';
import { squareAround } from '../dataset/region-plan.js';
import { loadRegions, surveyExamples } from '../dataset/regions.js';
import { loadBackgrounds } from '../model/foreground.js';
import type { Fit } from '../options/names.js';

/** Holds the settings that decide the squares. */
export interface SquareSettings {
  /** Pixels along each side of the squares. */
  resolution: number;
  /** Whole images become squares by this method. */
  fit: Fit;
  /**
   * If present, windows with this many pixels of the photographs along each side are cut out around defects, and
   * anywhere in good photographs. Otherwise images are used whole.
   */
  window?: number | undefined;
}

/** A square RGB image with its mask of 0 and 255. The mask of a good image marks nothing. */
export interface MarkedImage {
  pixels: PixelData;
  maskPixels: PixelData;
}

/** Good images are decoded in chunks of this size, which bounds the memory. */
const FILES_AT_ONCE = 16;

/** The windows of good photographs have at most this number of pixels in all, which is 100 MB. */
const MAX_GROUND_PIXELS = 2 ** 25;

/** A sharp kernel keeps pairs as sharp as photographs. A detector would recognise blurred pairs by their blur. */
const SHARP_KERNEL = 'lanczos3';

/**
 * Returns a square for each example, or for each defect of the examples where there are windows. Throws
 * ERR_DATASET_INVALID with the image or mask that cannot be used.
 */
export async function loadDefectSquares(
  examples: readonly Example[],
  { resolution, fit, window }: SquareSettings,
): Promise<MarkedImage[]> {
  if (window === undefined) return Dataset.load(examples, resolution, fit, undefined, SHARP_KERNEL);
  const surveyed = await surveyExamples(examples, 0);
  const { regions } = await loadRegions(surveyed, { window, resolution }, undefined, squareAround);
  return regions;
}

/** Yields squares of good photographs, a few at a time. */
export async function* loadGroundSquares(
  images: readonly ImageSource[],
  { resolution, fit, window }: SquareSettings,
): AsyncGenerator<MarkedImage[]> {
  if (window !== undefined) {
    yield* loadGoodWindows(images, { window, resolution }, Math.floor(MAX_GROUND_PIXELS / resolution ** 2));
    return;
  }
  for (let from = 0; from < images.length; from += FILES_AT_ONCE) {
    const files = images.slice(from, from + FILES_AT_ONCE);
    const chunk = await loadBackgrounds(files, resolution, fit, 'none', SHARP_KERNEL);
    yield chunk.map(({ image, foreground }) => ({ pixels: image, maskPixels: foreground }));
  }
}

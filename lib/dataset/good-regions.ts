/** Takes squares or regions without a defect out of good photographs. */

import { fewAtOnce } from '../core/few-at-once.js';
import { RawImage } from '../core/image.js';
import type { Fit } from '../options/names.js';
import type { FindForeground } from './dataset.js';
import { fitAround } from './fit.js';
import { readStored } from './image-file.js';
import { type ImageSource, nameOf } from './image-source.js';
import { boxWithoutDefect, evenly } from './region-plan.js';
import { cutRegion, type Scale, withForeground } from './regions.js';
import type { TrainingRegion } from './training-region.js';

/** Training learns from this number of good photographs at most, evenly chosen. */
const MAX_GOOD = 64;

/** Returns regions without a defect, one of each photograph. One photograph is in memory at a time. */
export async function loadGoodRegions(
  images: readonly ImageSource[],
  type: number,
  scale: Scale,
  findForeground?: FindForeground,
): Promise<TrainingRegion[]> {
  const regions: TrainingRegion[] = [];
  for (const [index, source] of evenly(images, MAX_GOOD).entries()) {
    const { image, stored } = await readStored(source);
    const photograph = await withForeground(image, undefined, stored, findForeground);
    const box = boxWithoutDefect(index, image, scale.window, 2 * scale.window);
    regions.push({ name: nameOf(source), type, ...(await cutRegion(photograph, box, scale)) });
  }
  return regions;
}

/**
 * Yields windows of good photographs, those of one photograph at a time. The windows of a photograph are together about
 * as large as it is. There are at most `most` in all, and at least one.
 */
export async function* loadGoodWindows(
  images: readonly ImageSource[],
  scale: Scale,
  most: number,
): AsyncGenerator<Pick<TrainingRegion, 'pixels' | 'maskPixels'>[]> {
  const { window } = scale;
  const chosen = evenly(images, Math.max(1, most));
  const mostOfOne = Math.max(1, Math.floor(most / chosen.length));
  let index = 0;
  for (const source of chosen) {
    const { image } = await readStored(source);
    const whole = Math.ceil(image.width / window) * Math.ceil(image.height / window);
    const windows = [];
    for (let left = Math.min(whole, mostOfOne); left > 0; left--) {
      const box = boxWithoutDefect(index++, image, window, window);
      windows.push(await cutRegion({ image, mask: undefined, foreground: undefined }, box, scale));
    }
    yield windows;
  }
}

/** Returns whole good photographs as squares of `resolution` pixels. */
export function loadGoodSquares(
  images: readonly ImageSource[],
  type: number,
  resolution: number,
  fit: Fit,
  findForeground?: FindForeground,
): Promise<TrainingRegion[]> {
  const size = { width: resolution, height: resolution };
  return fewAtOnce(evenly(images, MAX_GOOD), async (source) => {
    const { image, stored } = await readStored(source);
    const refit = (picture: RawImage) => fitAround(picture, undefined, resolution, fit);
    const pixels = await refit(image);
    const maskPixels = new RawImage({ ...size, data: new Uint8Array(resolution * resolution), channels: 1 });
    const foregroundPixels = findForeground && (await findForeground(stored, pixels, refit));
    return { name: nameOf(source), type, pixels, maskPixels, ...(foregroundPixels && { foregroundPixels }) };
  });
}

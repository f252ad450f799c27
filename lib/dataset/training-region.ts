/** Declares what training takes of the photographs: squares, or larger regions that it cuts its windows out of. */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { RawImage } from '../core/image.js';
import { middleOf } from './cut.js';
import type { Position } from './example-file.js';
import type { DefectPosition } from './object-frame.js';
import { cutWindow, windowAround } from './photograph-window.js';

/** A square training image, as large as the model's images. */
export interface TrainingImage {
  /** The name of the example. A good photograph has the name of its file or its place in the input. */
  name: string;
  /** RGB. */
  pixels: RawImage;
  /** One channel of 0 and 255. It marks nothing in a good photograph. */
  maskPixels: RawImage;
}

/** A piece of a photograph at the scale of the model. Each side has at least as many pixels as the model's images. */
export interface TrainingRegion extends TrainingImage {
  /** The place of the region's type in the list of types. */
  type: number;
  /** One channel of 0 and 255. Present only if foregrounds were requested. */
  foregroundPixels?: RawImage;
  /** The centre of the box around the defect, in the whole photograph. It is absent for a good photograph. */
  centre?: DefectPosition;
  /** The pixel of the region in the middle of its own defect. Without it, the middle of the region counts. */
  middle?: Position;
}

/** Returns the square of a region around its own defect. */
export async function squareOf(region: TrainingRegion, resolution: number): Promise<TrainingImage> {
  const { name, pixels, maskPixels, middle } = region;
  const { width, height } = pixels;
  if (width === resolution && height === resolution) return { name, pixels, maskPixels };
  const { x, y } = middle ?? middleOf({ left: 0, top: 0, width, height });
  const window = windowAround(x, y, resolution, pixels);
  return { name, pixels: await cutWindow(pixels, window), maskPixels: await cutWindow(maskPixels, window) };
}

/**
 * Returns a digest of all pixels, masks and foregrounds, 16 hexadecimal digits. For squares of one type, it is that of
 * version 0.1.0.
 */
export async function digestOf(regions: readonly TrainingRegion[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { type, pixels, maskPixels, foregroundPixels } of regions) {
    const { width, height } = pixels;
    if (type > 0 || width !== height) hash.update(JSON.stringify([type, width, height]));
    hash.update(pixels.data).update(maskPixels.data);
    if (foregroundPixels) hash.update(foregroundPixels.data);
    await setImmediate(); // A region has megabytes.
  }
  return hash.digest('hex').slice(0, 16);
}

import { stat } from 'node:fs/promises';
import { DatasetError } from '../core/errors.js';
import type { RawImage } from '../core/image.js';
import { readStored, type Stored } from './image-file.js';
import { type ImageSource, labelOf } from './image-source.js';
import { readMaskOf } from './mask-file.js';

/** One image of a defect with its mask. */
export interface Example {
  /** The file's name without its ending, in Unicode's composed form (NFC); of images in memory, the place in their list. */
  name: string;
  image: ImageSource;
  mask: ImageSource;
}

/** An example as squares of one size. */
export interface LoadedExample extends Example {
  pixels: RawImage;
  /** One channel of 0 and 255. */
  maskPixels: RawImage;
  /** One channel of 0 and 255, where foregrounds were asked for. */
  foregroundPixels?: RawImage;
}

/** An image and its mask, of one size and lying on each other. Throws ERR_DATASET_INVALID naming the file. */
export async function readExample({
  image: from,
  mask,
}: Pick<Example, 'image' | 'mask'>): Promise<{ image: RawImage; stored: Stored; mask: RawImage }> {
  const { image, stored } = await readStored(from);
  if (typeof mask === 'string' && !(await stat(mask).catch(() => undefined))) {
    throw new DatasetError(`${labelOf(from)} has no mask: expected ${mask}`);
  }
  return { image, stored, mask: await readMaskOf(stored, mask) };
}

import { stat } from 'node:fs/promises';
import { DatasetError } from '../core/errors.js';
import type { RawImage } from '../core/image.js';
import { readStored, type Stored } from './image-file.js';
import { type ImageSource, labelOf } from './image-source.js';
import { readMaskOf } from './mask-file.js';

/** An image of a defect with its mask. */
export interface Example {
  /**
   * The file's name without its ending, in Unicode's composed form (NFC). For an image in memory, its index in the
   * list.
   */
  name: string;
  image: ImageSource;
  mask: ImageSource;
}

/** An example that is decoded to squares of one size. */
export interface LoadedExample extends Example {
  pixels: RawImage;
  /** One channel of 0 and 255. */
  maskPixels: RawImage;
  /** One channel of 0 and 255. Present only if foregrounds were requested. */
  foregroundPixels?: RawImage;
}

/** Reads an image and its mask, with the same size and orientation. Throws ERR_DATASET_INVALID with the file. */
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

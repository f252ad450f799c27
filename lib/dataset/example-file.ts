import { stat } from 'node:fs/promises';
import { DatasetError } from '../core/errors.js';
import type { RawImage } from '../core/image.js';
import { readStored, type Stored } from './image-file.js';
import { type ImageSource, labelOf } from './image-source.js';
import { readMaskOf } from './mask-file.js';

/** An example is one image of a defect with its mask. */
export interface Example {
  /** The name is the file's without its ending, in NFC. For images of `Dataset.from` it is their place in the list. */
  name: string;
  image: ImageSource;
  mask: ImageSource;
}

/** A loaded example has its image and its mask as squares of one size. */
export interface LoadedExample extends Example {
  pixels: RawImage;
  /** One channel of 0 and 255. */
  maskPixels: RawImage;
  /** One channel of 0 and 255, where foregrounds were asked for. */
  foregroundPixels?: RawImage;
}

/** Reads an image and its mask, which have one size and lie on each other. Throws ERR_DATASET_INVALID naming the file. */
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

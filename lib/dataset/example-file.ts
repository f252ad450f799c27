import { stat } from 'node:fs/promises';
import { DatasetError } from '../core/errors.js';
import type { RawImage } from '../core/image.js';
import { readStored, type Stored } from './image-file.js';
import { readMaskOf } from './mask-file.js';

/** An image and its mask, of one size and lying on each other. Throws ERR_DATASET_INVALID naming the file. */
export async function readExample(files: {
  image: string;
  mask: string;
}): Promise<{ image: RawImage; stored: Stored; mask: RawImage }> {
  const { image, stored } = await readStored(files.image);
  if (!(await stat(files.mask).catch(() => undefined))) {
    throw new DatasetError(`${files.image} has no mask: expected ${files.mask}`);
  }
  return { image, stored, mask: await readMaskOf(stored, files.mask) };
}

/** Looks at the images of an uploaded dataset before it is stored. */
import { DatasetError } from '../core/errors.js';
import { fewAtOnce } from '../core/few-at-once.js';
import { readSize } from '../dataset/decode.js';
import { imagesBelow } from '../dataset/folders.js';

/**
 * Throws ERR_DATASET_INVALID if a folder holds no images, or one that cannot be read or has too many pixels. Jobs read
 * the images later and find all other problems.
 */
export async function checkImages(folder: string): Promise<void> {
  const images = await imagesBelow(folder);
  if (images.length === 0) throw new DatasetError('The dataset holds no images: put photographs into the archive');
  await fewAtOnce(images, async (image) => {
    await readSize(image);
  });
}

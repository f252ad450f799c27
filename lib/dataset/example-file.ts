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

/** A position in an image. Each coordinate is a share of the image's width or height, 0 to 1. */
export interface Position {
  x: number;
  y: number;
}

/** An example that is decoded to squares of one size. */
export interface LoadedExample extends Example {
  pixels: RawImage;
  /** One channel of 0 and 255. */
  maskPixels: RawImage;
  /** One channel of 0 and 255. Present only if foregrounds were requested. */
  foregroundPixels?: RawImage;
  /** The centre of the box around the defect, in the whole image. */
  centre: Position;
}

/** Reads the mask of an image that was read before. Throws ERR_DATASET_INVALID if it is missing or does not fit. */
export async function readMaskIn(image: Stored, mask: ImageSource): Promise<RawImage> {
  if (typeof mask === 'string' && !(await stat(mask).catch(() => undefined))) {
    throw new DatasetError(`${labelOf(image.source)} has no mask: expected ${mask}`);
  }
  return readMaskOf(image, mask);
}

/** Reads an image and its mask, with the same size and orientation. Throws ERR_DATASET_INVALID with the file. */
export async function readExample({
  image: from,
  mask,
}: Pick<Example, 'image' | 'mask'>): Promise<{ image: RawImage; stored: Stored; mask: RawImage }> {
  const { image, stored } = await readStored(from);
  return { image, stored, mask: await readMaskIn(stored, mask) };
}

/** Returns the error for a mask without any marked pixel. */
export const emptyMask = (mask: ImageSource): DatasetError =>
  new DatasetError(`The mask ${labelOf(mask)} is empty: it marks no pixel`);

import { stat } from 'node:fs/promises';
import { type Example, imagesIn } from '../dataset/dataset.js';
import { binarize } from '../dataset/fit.js';
import { readImage, readMask, resizeImage } from '../dataset/image-file.js';
import { DatasetError } from '../errors.js';
import type { Square } from '../pool.js';

/** An image as a detector sees it. */
export interface NamedSquare extends Square {
  name: string;
}

/** A resized mask's pixels by one half; where none is left at this size, the strongest ones, so that no defect vanishes. */
function binarizeKeeping(mask: Uint8Array): Uint8Array {
  const strongest = mask.reduce((most, value) => Math.max(most, value), 0);
  const threshold = Math.min(128, Math.max(strongest, 1));
  return mask.map((value) => (value >= threshold ? 255 : 0));
}

async function loadSquare(name: string, image: string, mask: string | undefined, size: number): Promise<NamedSquare> {
  const picture = await readImage(image);
  const { data: pixels } = await resizeImage(picture, size, size);
  if (mask === undefined) return { name, pixels, mask: new Uint8Array(size * size) };
  if (!(await stat(mask).catch(() => undefined))) {
    throw new DatasetError(`${image} has no mask: expected ${mask}`);
  }
  const marked = await readMask(mask);
  if (marked.width !== picture.width || marked.height !== picture.height) {
    throw new DatasetError(
      `The mask ${mask} is ${marked.width} x ${marked.height}, but its image ${image} is ${picture.width} x ${picture.height}`,
    );
  }
  const { data } = await resizeImage(binarize(marked), size, size);
  return { name, pixels, mask: binarizeKeeping(data) };
}

/** Files that are decoded at once. */
const CHUNK = 16;

async function* inChunks<T>(
  items: readonly T[],
  load: (item: T) => Promise<NamedSquare>,
): AsyncGenerator<NamedSquare[]> {
  for (let i = 0; i < items.length; i += CHUNK) yield await Promise.all(items.slice(i, i + CHUNK).map(load));
}

/** Defects with their masks, stretched to squares, a few at a time. Throws ERR_DATASET_INVALID naming the file. */
export function loadDefects(examples: readonly Example[], size: number): AsyncGenerator<NamedSquare[]> {
  return inChunks(examples, ({ name, image, mask }) => loadSquare(name, image, mask, size));
}

/** Good images, stretched to squares, a few at a time. */
export function loadGood(files: readonly string[], size: number): AsyncGenerator<NamedSquare[]> {
  return inChunks(files, (file) => loadSquare(file, file, undefined, size));
}

/** The images of a folder that may be missing. */
export async function imagesIfAny(folder: string): Promise<string[]> {
  const there = (await stat(folder).catch(() => undefined))?.isDirectory() ?? false;
  return there ? imagesIn(folder) : [];
}

import { basename, sep } from 'node:path';
import { fewAtOnce } from '../core/few-at-once.js';
import type { PixelData } from '../core/image.js';
import { type Example, readExample } from '../dataset/example-file.js';
import { readImage, resizeImage } from '../dataset/image-file.js';
import type { ImageSource } from '../dataset/image-source.js';
import { GOOD_TYPE } from '../options/type-name.js';
import type { Square } from '../pool.js';

/** A named image at the resolution of the detector. */
export interface NamedSquare extends Square {
  name: string;
}

/**
 * Applies a threshold of one half to a resized mask. If no pixel would be left, the largest value is the threshold, so
 * that no small defect vanishes.
 */
function binarizeKeeping(mask: Uint8Array): Uint8Array {
  const strongest = mask.reduce((most, value) => Math.max(most, value), 0);
  const threshold = Math.min(128, Math.max(strongest, 1));
  return mask.map((value) => (value >= threshold ? 255 : 0));
}

/**
 * Returns a good image's path below `test/good` or `train/good`. It keeps the ending, because 000.png and 000.jpg are
 * two images.
 */
export function goodNameOf(source: ImageSource): string {
  if (typeof source !== 'string') return source.stem;
  const folders = ['test', 'train'].map((purpose) => [sep, purpose, sep, GOOD_TYPE, sep].join(''));
  const starts = folders.map((folder) => source.lastIndexOf(folder) + folder.length);
  const found = folders.findIndex((folder) => source.includes(folder));
  return found < 0 ? basename(source) : source.slice(starts[found]);
}

/** Stretches a defect and its mask to a square. */
export async function squareOfDefect(image: PixelData, mask: PixelData, size: number): Promise<Square> {
  const { data: pixels } = await resizeImage(image, size, size);
  const { data } = await resizeImage(mask, size, size);
  return { pixels, mask: binarizeKeeping(data) };
}

/** Loads a defect with its mask, stretched to a square. */
export async function loadDefect({ name, ...from }: Example, size: number): Promise<NamedSquare> {
  const { image, mask } = await readExample(from);
  return { name, ...(await squareOfDefect(image, mask, size)) };
}

/** Loads a good image, stretched to a square. */
export async function loadGoodImage(source: ImageSource, size: number): Promise<NamedSquare> {
  const { data: pixels } = await resizeImage(await readImage(source), size, size);
  return { name: goodNameOf(source), pixels, mask: new Uint8Array(size * size) };
}

/** The number of squares that are loaded at once, which limits the memory for decoded images. */
const CHUNK = 16;

/** Loads items a few at a time and yields them in chunks. */
export async function* inChunks<T, Loaded>(
  items: readonly T[],
  load: (item: T) => Promise<Loaded>,
): AsyncGenerator<Loaded[]> {
  for (let i = 0; i < items.length; i += CHUNK) {
    yield await fewAtOnce(items.slice(i, i + CHUNK), load);
  }
}

/** Loads defects with their masks, stretched to squares, a few at a time. Throws ERR_DATASET_INVALID with the file. */
export function loadDefects(examples: readonly Example[], size: number): AsyncGenerator<NamedSquare[]> {
  return inChunks(examples, (example) => loadDefect(example, size));
}

/** Loads good images, stretched to squares, a few at a time. */
export function loadGood(images: readonly ImageSource[], size: number): AsyncGenerator<NamedSquare[]> {
  return inChunks(images, (source) => loadGoodImage(source, size));
}

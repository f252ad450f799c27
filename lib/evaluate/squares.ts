import type { Example } from '../dataset/dataset.js';
import { readExample } from '../dataset/example-file.js';
import { fewAtOnce } from '../dataset/few-at-once.js';
import { readImage, resizeImage } from '../dataset/image-file.js';
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
  if (mask === undefined) {
    const { data: pixels } = await resizeImage(await readImage(image), size, size);
    return { name, pixels, mask: new Uint8Array(size * size) };
  }
  const example = await readExample({ image, mask });
  const { data: pixels } = await resizeImage(example.image, size, size);
  const { data } = await resizeImage(example.mask, size, size);
  return { name, pixels, mask: binarizeKeeping(data) };
}

/** Squares that are handed on at once. */
const CHUNK = 16;

async function* inChunks<T>(
  items: readonly T[],
  load: (item: T) => Promise<NamedSquare>,
): AsyncGenerator<NamedSquare[]> {
  for (let i = 0; i < items.length; i += CHUNK) {
    yield await fewAtOnce(items.slice(i, i + CHUNK), load);
  }
}

/** Defects with their masks, stretched to squares, a few at a time. Throws ERR_DATASET_INVALID naming the file. */
export function loadDefects(examples: readonly Example[], size: number): AsyncGenerator<NamedSquare[]> {
  return inChunks(examples, ({ name, image, mask }) => loadSquare(name, image, mask, size));
}

/** Good images, stretched to squares, a few at a time. */
export function loadGood(files: readonly string[], size: number): AsyncGenerator<NamedSquare[]> {
  return inChunks(files, (file) => loadSquare(file, file, undefined, size));
}

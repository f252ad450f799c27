/** Decodes COCO's run lengths (RLE), which count pixels down one column after the other, beginning with unmarked ones. */
import { DatasetError } from '../../core/errors.js';
import type { Canvas } from './canvas.js';
import { fillColumns } from './coco-polygon.js';

/** A mask as run lengths: a list of numbers, or a text of COCO's compressed form. `size` is height and width. */
export interface Runs {
  counts: string | readonly number[];
  size: readonly [number, number];
}

/** Each character of the compressed form holds five bits of a number, lowest first, and whether more follow. */
const FIRST_CHARACTER = 48;
const VALUE_BITS = 5;
const MORE = 32;
const SIGN = 16;

/** From this run on, the compressed form stores the difference to the run before the last one. */
const FIRST_DIFFERENCE = 3;

/** Returns the run lengths of a compressed text. Throws ERR_DATASET_INVALID for a text that is none. */
function parseCounts(text: string, where: string): number[] {
  const counts: number[] = [];
  let [value, factor] = [0, 1];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i) - FIRST_CHARACTER;
    if (code < 0 || code >= 2 * MORE || factor > 2 ** 40) {
      throw new DatasetError(`${where} has run lengths that cannot be decoded at character ${i}: export it again`);
    }
    value += (code % MORE) * factor;
    factor *= 2 ** VALUE_BITS;
    if (code >= MORE) continue;
    if ((code & SIGN) !== 0) value -= factor;
    counts.push(counts.length >= FIRST_DIFFERENCE ? value + (counts.at(-2) as number) : value);
    [value, factor] = [0, 1];
  }
  if (factor === 1) return counts;
  throw new DatasetError(`${where} has run lengths that are cut off: export it again`);
}

/** Marks the pixels of every second run. Throws ERR_DATASET_INVALID if the runs belong to an image of another size. */
export function fillRuns(canvas: Canvas, { counts: given, size }: Runs, where: string): void {
  const [height, width] = size;
  if (height !== canvas.height || width !== canvas.width) {
    throw new DatasetError(
      `${where} has run lengths for ${width} x ${height} pixels, but its image has ${canvas.width} x ${canvas.height}: export it again`,
    );
  }
  const counts = typeof given === 'string' ? parseCounts(given, where) : given;
  const wrong = counts.find((count) => count < 0 || !Number.isInteger(count));
  if (wrong !== undefined) {
    throw new DatasetError(
      `${where} has the run length ${wrong}: expected whole numbers from 0 on, so export it again`,
    );
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total !== width * height) {
    throw new DatasetError(
      `${where} has run lengths of ${total} pixels in all, but ${width} x ${height} are ${width * height}: export it again`,
    );
  }
  let at = 0;
  for (const [i, count] of counts.entries()) {
    if (i % 2 === 1) fillColumns(canvas, at, at + count);
    at += count;
  }
}

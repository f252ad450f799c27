/** Encodes masks as the run-length code of COCO, in its compressed form. */
import type { Defect } from '../components.js';
import type { Size } from '../cut.js';

/**
 * Returns the lengths of the runs of pixels that are not marked and marked in turn, column by column. The first length
 * is 0 if the first pixel is marked.
 */
function runLengths({ box, runs }: Pick<Defect, 'box' | 'runs'>, { width, height }: Size): number[] {
  // The box is painted column by column, because the runs of a defect are rows.
  const columns = new Uint8Array(box.width * box.height);
  for (const { y, start, end } of runs) {
    for (let x = start; x < end; x++) columns[(x - box.left) * box.height + y - box.top] = 1;
  }
  const lengths: number[] = [];
  let written = 0;
  for (let at = columns.indexOf(1); at >= 0; ) {
    const column = Math.floor(at / box.height);
    const bottom = (column + 1) * box.height;
    const off = columns.indexOf(0, at);
    const to = off < 0 || off > bottom ? bottom : off;
    const from = (box.left + column) * height + box.top + (at - column * box.height);
    if (from === written && lengths.length > 0) lengths[lengths.length - 1] = (lengths.at(-1) as number) + to - at;
    else lengths.push(from - written, to - at);
    written = from + to - at;
    at = columns.indexOf(1, to);
  }
  if (written < width * height || lengths.length === 0) lengths.push(width * height - written);
  return lengths;
}

/** Five bits of a number are stored in a character, and the next bit says that more characters follow. */
const BITS = 5;
const SIGN = 0x10;
const MORE = 0x20;
const FIRST_CHARACTER = 48;

/**
 * Encodes the defect of an image as `counts` of COCO. From the fourth length on, the difference to the length two places
 * before is stored, because neighbouring columns are alike.
 */
export function encodeRle(defect: Pick<Defect, 'box' | 'runs'>, image: Size): string {
  const lengths = runLengths(defect, image);
  const codes: number[] = [];
  for (const [i, length] of lengths.entries()) {
    let rest = i > 2 ? length - (lengths[i - 2] as number) : length;
    for (let isLast = false; !isLast; ) {
      const low = rest & (MORE - 1);
      rest >>= BITS;
      isLast = rest === (low & SIGN ? -1 : 0);
      codes.push(FIRST_CHARACTER + (isLast ? low : low | MORE));
    }
  }
  return Buffer.from(codes).toString('latin1');
}

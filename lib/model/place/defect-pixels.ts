/** Moves and widens the pixels of defects in windows. */
import { type PixelData, RawImage } from '../../core/image.js';

/** A training defect, or one that was moved. The image is RGB, and the mask is not 0 inside the defect. */
export interface DefectPixels {
  image: Uint8Array;
  mask: Uint8Array;
}

/** Returns a square mask of 0 and 255. */
export const squareMask = (mask: Uint8Array, side: number) => ({
  data: mask.map((value) => (value > 0 ? 255 : 0)),
  ...{ width: side, height: side, channels: 1 as const },
});

/** Returns the indices of the pixels that a mask marks. */
export function markedPixels(mask: Uint8Array): number[] {
  const marked: number[] = [];
  for (let i = 0; i < mask.length; i++) if ((mask[i] as number) > 0) marked.push(i);
  return marked;
}

/** Moves an image by whole pixels. Pixels that come from beyond the border repeat it, or are 0 with `empty`. */
export function shifted(image: PixelData, right: number, down: number, beyond: 'repeat' | 'empty'): RawImage {
  const { width, height, channels } = image;
  const data = new Uint8Array(image.data.length);
  const clamp = (at: number, extent: number) => Math.min(Math.max(at, 0), extent - 1);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += channels) {
      const [u, v] = [clamp(x - right, width), clamp(y - down, height)];
      if (beyond === 'empty' && (u !== x - right || v !== y - down)) continue;
      const from = (v * width + u) * channels;
      for (let channel = 0; channel < channels; channel++) data[to + channel] = image.data[from + channel] as number;
    }
  }
  return new RawImage({ data, width, height, channels });
}

/** Marks every pixel within `radius` of a marked one, in the rows and the columns. */
export function dilated(mask: Uint8Array, width: number, radius: number): Uint8Array {
  const height = mask.length / width;
  const result = mask.map((value) => (value > 0 ? 255 : 0));
  for (let y = 0; y < height; y++) widenLine(result, y * width, 1, width, radius);
  for (let x = 0; x < width; x++) widenLine(result, x, width, height, radius);
  return result;
}

/** Marks the pixels of a line within `radius` of a marked one. */
function widenLine(mask: Uint8Array, start: number, step: number, count: number, radius: number): void {
  const end = start + (count - 1) * step;
  const ahead = reachAlong(mask, start, step, count, radius);
  const behind = reachAlong(mask, end, -step, count, radius);
  for (let i = 0; i < count; i++) {
    if (ahead[i] === 1 || behind[count - 1 - i] === 1) mask[start + i * step] = 255;
  }
}

/** Returns 1 for each pixel of a line that lies within `radius` after a marked one, or is marked. */
function reachAlong(mask: Uint8Array, start: number, step: number, count: number, radius: number): Uint8Array {
  const reached = new Uint8Array(count);
  let left = 0;
  for (let i = 0; i < count; i++, left--) {
    if ((mask[start + i * step] as number) > 0) left = radius + 1;
    if (left > 0) reached[i] = 1;
  }
  return reached;
}

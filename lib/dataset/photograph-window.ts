/** Converts between a photograph and the square windows in which defects are drawn. */
import type { PixelData, RawImage } from '../core/image.js';
import { type Box, cutOut, type Size, startAround } from './cut.js';

/** A square of a photograph, in pixels. It may reach beyond the border. */
export interface Window {
  left: number;
  top: number;
  side: number;
}

/** Tells whether a pixel of a photograph is marked. Pixels outside the photograph never are. */
export type Marks = (x: number, y: number) => boolean;

/**
 * Returns the window around a point of a photograph. It lies inside the photograph, if it fits. Otherwise it reaches
 * beyond the border equally on both sides.
 */
export const windowAround = (x: number, y: number, side: number, { width, height }: Size): Window => ({
  left: startAround(x, side, width),
  top: startAround(y, side, height),
  side,
});

/** Cuts a window out of a photograph, which is mirrored at its border. The result has `resolution` pixels a side. */
export const cutWindow = (image: PixelData, { left, top, side }: Window, resolution = side): Promise<RawImage> =>
  cutOut(image, { left, top, width: side, height: side }, { width: resolution, height: resolution });

/** Returns the part of a window that lies inside the photograph, in pixels of the photograph. */
export function insideOf({ left, top, side }: Window, { width, height }: Size): Box {
  const [right, bottom] = [Math.min(left + side, width), Math.min(top + side, height)];
  const [x, y] = [Math.max(left, 0), Math.max(top, 0)];
  return { left: x, top: y, width: right - x, height: bottom - y };
}

/** Returns the marks of a mask that may be smaller than its photograph. */
export function marksOf(mask: PixelData, { width, height }: Size): Marks {
  const [columns, rows] = [mask.width / width, mask.height / height];
  return (x, y) =>
    x >= 0 &&
    y >= 0 &&
    x < width &&
    y < height &&
    (mask.data[Math.floor((y + 0.5) * rows) * mask.width + Math.floor((x + 0.5) * columns)] as number) >= 128;
}

/** Shows windows at one resolution. Pixel i of a window is in row `i / resolution`, column `i % resolution`. */
export class WindowGrid {
  readonly #scale: number;

  constructor(
    readonly window: Window,
    readonly resolution: number,
  ) {
    this.#scale = window.side / resolution;
  }

  /** Returns true if the photograph is marked at the middle of pixel i. */
  isMarked(i: number, marks: Marks): boolean {
    return marks(...this.#middleOf(i % this.resolution, Math.floor(i / this.resolution)));
  }

  /** Returns true if the photograph shows the middle of a pixel, which may lie outside the window. */
  isInside(column: number, row: number, { width, height }: Size): boolean {
    const [x, y] = this.#middleOf(column, row);
    return x >= 0 && y >= 0 && x < width && y < height;
  }

  /** Returns true if the photograph is marked anywhere in pixel i, which may cover several pixels of the photograph. */
  isTouched(i: number, marks: Marks): boolean {
    const [fromX, toX] = this.#range(i % this.resolution, this.window.left);
    const [fromY, toY] = this.#range(Math.floor(i / this.resolution), this.window.top);
    for (let y = fromY; y < toY; y++) for (let x = fromX; x < toX; x++) if (marks(x, y)) return true;
    return false;
  }

  /** Returns a mask of 0 and 255 with the pixels in which the photograph is marked anywhere. */
  maskOf(marks: Marks): Uint8Array {
    return Uint8Array.from({ length: this.resolution ** 2 }, (_, i) => (this.isTouched(i, marks) ? 255 : 0));
  }

  /** Returns the marks of a mask of the window, as pixels of the photograph. */
  marksOf(mask: Uint8Array): Marks {
    const { left, top, side } = this.window;
    const at = (offset: number) => Math.floor((offset + 0.5) / this.#scale);
    return (x, y) =>
      x >= left &&
      y >= top &&
      x < left + side &&
      y < top + side &&
      (mask[at(y - top) * this.resolution + at(x - left)] as number) > 0;
  }

  #middleOf(column: number, row: number): [number, number] {
    const { left, top } = this.window;
    return [Math.floor(left + (column + 0.5) * this.#scale), Math.floor(top + (row + 0.5) * this.#scale)];
  }

  #range(pixel: number, origin: number): [number, number] {
    const from = Math.floor(origin + pixel * this.#scale);
    return [from, Math.max(from + 1, Math.ceil(origin + (pixel + 1) * this.#scale))];
  }
}

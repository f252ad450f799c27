/** The pixels that the shapes of an annotation are drawn into. */
import { DatasetError } from '../../core/errors.js';

/** One byte per pixel, row by row: 255 at the defect and 0 elsewhere. */
export interface Canvas {
  data: Uint8Array;
  width: number;
  height: number;
}

/** A shape of an annotation. It draws itself into a canvas, and throws ERR_DATASET_INVALID if it does not fit. */
export interface Shape {
  /** The entry of the shape, for messages. */
  where: string;
  draw(canvas: Canvas): void | Promise<void>;
}

/** Marks the pixels `from` to `to` of a row, both included. What lies outside of the canvas is left out. */
export function fillSpan({ data, width, height }: Canvas, y: number, from: number, to: number): void {
  if (y < 0 || y >= height) return;
  const [first, last] = [Math.max(0, from), Math.min(width - 1, to)];
  if (first <= last) data.fill(255, y * width + first, y * width + last + 1);
}

/** Returns the first and the last row of the corners of a polygon, which may have any number of them. */
export const rowsOf = (corners: readonly (readonly [number, number])[]): readonly [number, number] =>
  corners.reduce<readonly [number, number]>(
    ([top, bottom], [, y]) => [Math.min(top, y), Math.max(bottom, y)],
    [Infinity, -Infinity],
  );

/**
 * Throws ERR_DATASET_INVALID for points that cannot belong to the image: those farther outside than the longer side of the
 * image, and shapes of which every point lies beyond one border. `points` holds x and y in turn, in pixels.
 */
export function requireNear(points: readonly number[], { width, height }: Canvas, where: string): void {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = [points[i] as number, points[i + 1] as number];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  const far = Math.max(width, height);
  const isFar = left < -far || right > width + far || top < -far || bottom > height + far;
  if (!isFar && right >= 0 && bottom >= 0 && left <= width && top <= height) return;
  const box = [left, top, right, bottom].map((value) => Math.round(value * 100) / 100);
  throw new DatasetError(
    `${where} lies from (${box[0]}, ${box[1]}) to (${box[2]}, ${box[3]}), outside of its image of ${width} x ${height} pixels: correct its points or remove it`,
  );
}

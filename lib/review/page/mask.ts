/** Edits masks. No function here knows of the screen. */

/** A mask of 0 and 255, one byte a pixel, row by row. */
export interface Mask {
  data: Uint8Array;
  width: number;
  height: number;
}

/** A position in pixels of the mask. The centre of the first pixel is at 0.5, 0.5. */
export interface Point {
  x: number;
  y: number;
}

export const MARKED = 255;

/** Returns the smallest range of pixels from `from` up to but not including `to` that is inside of `length`. */
const clipped = (from: number, to: number, length: number): [number, number] => [
  Math.max(Math.floor(from), 0),
  Math.min(Math.ceil(to), length),
];

/**
 * Sets all pixels whose centre is at most half of `size` away from the line between two points. A size of 1 between
 * centres of pixels draws a line of single pixels without gaps.
 */
export function drawLine({ data, width, height }: Mask, from: Point, to: Point, size: number, value: number): void {
  const radius = size / 2;
  const [top, bottom] = clipped(Math.min(from.y, to.y) - radius, Math.max(from.y, to.y) + radius, height);
  const [left, right] = clipped(Math.min(from.x, to.x) - radius, Math.max(from.x, to.x) + radius, width);
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const squaredLength = dx * dx + dy * dy;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const [px, py] = [x + 0.5 - from.x, y + 0.5 - from.y];
      const along = squaredLength === 0 ? 0 : Math.min(Math.max((px * dx + py * dy) / squaredLength, 0), 1);
      const [ox, oy] = [px - along * dx, py - along * dy];
      if (ox * ox + oy * oy <= radius * radius) data[y * width + x] = value;
    }
  }
}

/** Marks the neighbours (of four) of all marked pixels if `value` is 255, and clears the outermost pixels if it is 0. */
export function spread({ data, width, height }: Mask, value: number): void {
  const before = data.slice();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      if (before[at] === value) continue;
      const isBeside =
        (x > 0 && before[at - 1] === value) ||
        (x < width - 1 && before[at + 1] === value) ||
        (y > 0 && before[at - width] === value) ||
        (y < height - 1 && before[at + width] === value);
      if (isBeside) data[at] = value;
    }
  }
}

/** Clears the marked pixels that are connected, of eight neighbours, to the one under `point`. Returns their number. */
export function clearComponent({ data, width, height }: Mask, point: Point): number {
  const [x, y] = [Math.floor(point.x), Math.floor(point.y)];
  if (x < 0 || y < 0 || x >= width || y >= height || data[y * width + x] === 0) return 0;
  const open = [y * width + x];
  data[y * width + x] = 0;
  let cleared = 0;
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    cleared++;
    const [column, row] = [at % width, Math.floor(at / width)];
    for (let ny = Math.max(row - 1, 0); ny <= Math.min(row + 1, height - 1); ny++) {
      for (let nx = Math.max(column - 1, 0); nx <= Math.min(column + 1, width - 1); nx++) {
        const next = ny * width + nx;
        if (data[next] === 0) continue;
        data[next] = 0;
        open.push(next);
      }
    }
  }
  return cleared;
}

/** Returns the number of marked pixels. */
export function areaOf({ data }: Mask): number {
  let area = 0;
  for (const value of data) if (value !== 0) area++;
  return area;
}

type Add = (line: number, from: number, to: number) => void;

/** A line along the sides of pixels, in pixels of the mask. */
export type Edge = readonly [x1: number, y1: number, x2: number, y2: number];

/** Returns the lines between marked pixels and others. Neighbouring sides in a row or column are one line. */
export function outlineOf({ data, width, height }: Mask): Edge[] {
  const edges: Edge[] = [];
  const isMarked = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] !== 0;
  const trace = (count: number, length: number, isEdge: (line: number, at: number) => boolean, add: Add) => {
    for (let line = 0; line <= count; line++) {
      let start = -1;
      for (let at = 0; at <= length; at++) {
        const isOpen = at < length && isEdge(line, at);
        if (isOpen && start < 0) start = at;
        if (!isOpen && start >= 0) {
          add(line, start, at);
          start = -1;
        }
      }
    }
  };
  trace(
    height,
    width,
    (y, x) => isMarked(x, y - 1) !== isMarked(x, y),
    (y, from, to) => edges.push([from, y, to, y]),
  );
  trace(
    width,
    height,
    (x, y) => isMarked(x - 1, y) !== isMarked(x, y),
    (x, from, to) => edges.push([x, from, x, to]),
  );
  return edges;
}

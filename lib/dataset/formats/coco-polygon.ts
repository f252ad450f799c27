/**
 * Fills polygons with the pixels that pycocotools gives them: the outline is traced on a grid five times as fine, and a
 * pixel belongs to the polygon if an odd number of outlines lies above it in its column.
 */
import { type Canvas, requireNear } from './canvas.js';

/** The outline is traced on a grid that is this many times as fine as the pixels. */
const FINENESS = 5;

/** Calls `visit` with the grid points of the outline. Each edge has one point for each step of its longer side. */
function traceOutline(points: readonly number[], visit: (x: number, y: number) => void): void {
  const grid = points.map((value) => Math.trunc(FINENESS * value + 0.5));
  for (let i = 0; i < grid.length; i += 2) {
    const next = (i + 2) % grid.length;
    const start = [grid[i] as number, grid[i + 1] as number] as const;
    const end = [grid[next] as number, grid[next + 1] as number] as const;
    const [dx, dy] = [Math.abs(end[0] - start[0]), Math.abs(end[1] - start[1])];
    const steps = Math.max(dx, dy);
    if (steps === 0) continue; // The point is repeated.
    const long = dx >= dy ? 0 : 1;
    const short = 1 - long;
    // Edges are always traced from the smaller coordinate on, so that both directions give the same points.
    const isReversed = start[long] > end[long];
    const [from, to] = isReversed ? [end, start] : [start, end];
    const slope = ((to[short] as number) - (from[short] as number)) / steps;
    for (let step = 0; step <= steps; step++) {
      const along = isReversed ? steps - step : step;
      const onLong = (from[long] as number) + along;
      const onShort = Math.trunc((from[short] as number) + slope * along + 0.5);
      if (long === 0) visit(onLong, onShort);
      else visit(onShort, onLong);
    }
  }
}

/**
 * Returns for each pixel, down one column after the other, whether an odd number of outlines crosses the middle of its
 * column just above it. An outline may be much longer than the image is large, so its points are not kept.
 */
function crossingsOf(points: readonly number[], { width, height }: Canvas): Uint8Array {
  const crossings = new Uint8Array(width * height + 1);
  let [oldX, oldY] = [Number.NaN, Number.NaN];
  traceOutline(points, (x, y) => {
    if (x !== oldX && !Number.isNaN(oldX)) {
      const column = ((x < oldX ? x : x - 1) + 0.5) / FINENESS - 0.5;
      if (Number.isInteger(column) && column >= 0 && column < width) {
        const row = (Math.min(y, oldY) + 0.5) / FINENESS - 0.5;
        const at = column * height + Math.ceil(Math.min(Math.max(row, 0), height));
        crossings[at] = 1 - (crossings[at] as number);
      }
    }
    [oldX, oldY] = [x, y];
  });
  return crossings;
}

/**
 * Fills a polygon. `points` holds x and y in turn, in pixels, where a pixel reaches from its index to the next one.
 * Parts outside of the canvas are left out. Throws ERR_DATASET_INVALID if it cannot belong to the image.
 */
export function fillPolygon(canvas: Canvas, points: readonly number[], where: string): void {
  requireNear(points, canvas, where);
  const crossings = crossingsOf(points, canvas);
  const next = (from: number) => {
    const at = crossings.indexOf(1, from);
    return at < 0 ? canvas.data.length : at;
  };
  for (let from = next(0); from < canvas.data.length; ) {
    const to = next(from + 1);
    fillColumns(canvas, from, to);
    from = next(to + 1);
  }
}

/** Marks the pixels from index `from` up to but without `to`, where indices run down one column after the other. */
export function fillColumns({ data, width, height }: Canvas, from: number, to: number): void {
  let column = Math.floor(from / height);
  let row = from - column * height;
  for (let at = from; at < to; at++) {
    data[row * width + column] = 255;
    if (++row === height) {
      row = 0;
      column++;
    }
  }
}

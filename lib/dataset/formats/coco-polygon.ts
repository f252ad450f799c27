/**
 * Fills polygons with the pixels that pycocotools gives them: the outline is traced on a grid five times as fine, and a
 * pixel belongs to the polygon if an odd number of outlines lies above it in its column.
 */
import { type Canvas, requireNear } from './canvas.js';

/** The outline is traced on a grid that is this many times as fine as the pixels. */
const FINENESS = 5;

/** Returns the grid points of the outline, as x and y in turn. Each edge has one point for each step of its longer side. */
function traceOutline(points: readonly number[]): number[] {
  const grid = points.map((value) => Math.trunc(FINENESS * value + 0.5));
  const traced: number[] = [];
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
      const point = [0, 0];
      point[long] = (from[long] as number) + along;
      point[short] = Math.trunc((from[short] as number) + slope * along + 0.5);
      traced.push(point[0] as number, point[1] as number);
    }
  }
  return traced;
}

/** Returns the places where the outline crosses the middle of a column, as column by column indices of pixels. */
function crossingsOf(traced: readonly number[], { width, height }: Canvas): number[] {
  const crossings: number[] = [];
  for (let i = 2; i < traced.length; i += 2) {
    const [x, y, oldX, oldY] = [traced[i], traced[i + 1], traced[i - 2], traced[i - 1]] as [
      ...[number, number],
      ...[number, number],
    ];
    if (x === oldX) continue;
    const column = ((x < oldX ? x : x - 1) + 0.5) / FINENESS - 0.5;
    if (!Number.isInteger(column) || column < 0 || column > width - 1) continue;
    const row = (Math.min(y, oldY) + 0.5) / FINENESS - 0.5;
    crossings.push(column * height + Math.ceil(Math.min(Math.max(row, 0), height)));
  }
  return crossings.sort((a, b) => a - b);
}

/**
 * Fills a polygon. `points` holds x and y in turn, in pixels, where a pixel reaches from its index to the next one.
 * Parts outside of the canvas are left out. Throws ERR_DATASET_INVALID if it cannot belong to the image.
 */
export function fillPolygon(canvas: Canvas, points: readonly number[], where: string): void {
  requireNear(points, canvas, where);
  const crossings = crossingsOf(traceOutline(points), canvas);
  crossings.push(canvas.width * canvas.height);
  for (let i = 0; i + 1 < crossings.length; i += 2) {
    fillColumns(canvas, crossings[i] as number, crossings[i + 1] as number);
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

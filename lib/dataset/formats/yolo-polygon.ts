/**
 * Fills polygons with the pixels that Ultralytics and OpenCV give them: corners are whole pixels, and every pixel that an
 * edge touches belongs to the polygon.
 */
import { type Canvas, fillSpan, requireNear, rowsOf } from './canvas.js';

type Corner = readonly [number, number];

/** Marks the pixels of a line, one for each step along its longer side, from its left end on. */
function drawLine(canvas: Canvas, a: Corner, b: Corner): void {
  const [[x0, y0], [x1, y1]] = a[0] > b[0] ? [b, a] : [a, b];
  const [dx, dy] = [x1 - x0, Math.abs(y1 - y0)];
  const down = Math.sign(y1 - y0);
  const [long, short] = [Math.max(dx, dy), Math.min(dx, dy)];
  let aside = 0;
  for (let step = 0; step <= long; step++) {
    const [x, y] = dx >= dy ? [x0 + step, y0 + aside * down] : [x0 + aside, y0 + step * down];
    fillSpan(canvas, y, x, x);
    // The line moves aside when its middle has passed the border between two pixels.
    if (2 * (step + 1) * short > (2 * aside + 1) * long) aside++;
  }
}

/**
 * Fills a polygon with its border. `points` holds x and y in turn, in pixels. Parts outside of the canvas are left out.
 * Throws ERR_DATASET_INVALID if it cannot belong to the image.
 */
export function fillWithBorder(canvas: Canvas, points: readonly number[], where: string): void {
  requireNear(points, canvas, where);
  const corners: Corner[] = [];
  for (let i = 0; i < points.length; i += 2) {
    corners.push([Math.trunc(points[i] as number), Math.trunc(points[i + 1] as number)]);
  }
  const edges = corners.map((corner, i) => [corner, corners[(i + 1) % corners.length] as Corner] as const);
  for (const [a, b] of edges) drawLine(canvas, a, b);
  const [first, last] = rowsOf(corners);
  for (let y = Math.max(0, first); y <= Math.min(canvas.height - 1, last); y++) {
    const crossings: number[] = [];
    for (const [a, b] of edges) {
      const [[x0, y0], [x1, y1]] = a[1] < b[1] ? [a, b] : [b, a];
      if (y0 <= y && y < y1) crossings.push(x0 + ((y - y0) * (x1 - x0)) / (y1 - y0));
    }
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      fillSpan(canvas, y, Math.ceil(crossings[i] as number), Math.floor(crossings[i + 1] as number));
    }
  }
}

/**
 * Draws shapes with the pixels that labelme gives them: corners are whole pixels, borders belong to a shape, and lines
 * and points have a fixed size.
 */
import { type Canvas, fillSpan, requireNear, rowsOf } from './canvas.js';

export type Point = readonly [number, number];

/** labelme draws lines this wide and points with this radius, in pixels. */
const LINE_WIDTH = 10;
const POINT_RADIUS = 5;

const roundHalfUp = (value: number) => Math.floor(value + 0.5);
const roundHalfDown = (value: number) => Math.ceil(value - 0.5);
const whole = (points: readonly Point[]): Point[] => points.map(([x, y]) => [Math.trunc(x), Math.trunc(y)]);

/** Returns the place where the line through two corners crosses a row. */
const crossing = ([x0, y0]: Point, [x1, y1]: Point, y: number) => x0 + ((y - y0) * (x1 - x0)) / (y1 - y0);

/** Fills a polygon whose corners are whole pixels, with its border. */
function fillCorners(canvas: Canvas, corners: readonly Point[]): void {
  const edges = corners.map((corner, i) => [corner, corners[(i + 1) % corners.length] as Point] as const);
  const [first, last] = rowsOf(corners);
  for (const [[x0, y0], [x1, y1]] of edges) if (y0 === y1) fillSpan(canvas, y0, Math.min(x0, x1), Math.max(x0, x1));
  for (let y = Math.max(0, first); y <= Math.min(canvas.height - 1, last); y++) {
    // A corner ends one edge and begins another one, so a row is filled between the edges below it and those above it.
    for (const isBelow of [true, false]) {
      const crossings: number[] = [];
      for (const [a, b] of edges) {
        const [low, high] = a[1] < b[1] ? [a, b] : [b, a];
        const meets = isBelow ? low[1] <= y && y < high[1] : low[1] < y && y <= high[1];
        if (meets) crossings.push(crossing(low, high, y));
      }
      crossings.sort((a, b) => a - b);
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        fillSpan(canvas, y, roundHalfUp(crossings[i] as number), roundHalfDown(crossings[i + 1] as number));
      }
    }
  }
  fillTips(canvas, corners, last);
}

/**
 * Connects each sharp corner with the row beside it. Without this, flat and thin shapes would have gaps at their ends.
 * A lower end is connected only if it is in the last row.
 */
function fillTips(canvas: Canvas, corners: readonly Point[], lastRow: number): void {
  for (const [i, corner] of corners.entries()) {
    const [x, y] = corner;
    const [before, after] = [corners.at(i - 1), corners[(i + 1) % corners.length]] as [Point, Point];
    const isUpper = before[1] > y && after[1] > y;
    const isLower = before[1] < y && after[1] < y && y === lastRow;
    if (!isUpper && !isLower) continue;
    const beside = [before, after].map((other) => crossing(corner, other, y + (isUpper ? 1 : -1)));
    if (beside.every((one) => one > x)) fillSpan(canvas, y, x, roundHalfUp(Math.min(...beside)) - 1);
    if (beside.every((one) => one < x)) fillSpan(canvas, y, roundHalfDown(Math.max(...beside)) + 1, x);
  }
}

/** Fills a polygon with its border. */
export function drawPolygon(canvas: Canvas, points: readonly Point[], where: string): void {
  requireNear(points.flat(), canvas, where);
  fillCorners(canvas, whole(points));
}

/** Fills the rectangle between two opposite corners, both included. */
export function drawRectangle(canvas: Canvas, points: readonly Point[], where: string): void {
  requireNear(points.flat(), canvas, where);
  const [[x0, y0], [x1, y1]] = whole(points) as [Point, Point];
  for (let y = Math.min(y0, y1); y <= Math.max(y0, y1); y++) fillSpan(canvas, y, Math.min(x0, x1), Math.max(x0, x1));
}

/** Fills a disc. Its border takes the pixels next to the circle, step by step from the widest row on. */
function drawDisc(canvas: Canvas, [x, y]: Point, radius: number): void {
  const [left, top] = [Math.trunc(x - radius), Math.trunc(y - radius)];
  const [width, height] = [Math.trunc(x + radius) - left, Math.trunc(y + radius) - top];
  // All lengths are doubled, so that a disc of an even size has its middle between two pixels.
  const distance = (u: number, v: number) =>
    Math.abs(width * width * v * v + height * height * u * u - width * width * height * height);
  let [u, v] = [width, height % 2];
  for (let filled = -1; ; ) {
    if (v > filled) {
      for (const row of [top + (height - v) / 2, top + (height + v) / 2]) {
        fillSpan(canvas, row, left + (width - u) / 2, left + (width + u) / 2);
      }
      filled = v;
    }
    const isTop = v >= height;
    const isMiddle = u <= width % 2;
    if (isTop && isMiddle) return;
    const up = isTop ? Number.POSITIVE_INFINITY : distance(u, v + 2);
    const both = isTop || isMiddle ? Number.POSITIVE_INFINITY : distance(u - 2, v + 2);
    const inwards = isMiddle ? Number.POSITIVE_INFINITY : distance(u - 2, v);
    const best = Math.min(up, both, inwards);
    if (up > best) u -= 2;
    if (up === best || both === best) v += 2;
  }
}

/** Fills the circle around the first point through the second one. */
export function drawCircle(canvas: Canvas, points: readonly Point[], where: string): void {
  const [[x, y], [u, v]] = points as [Point, Point];
  const radius = Math.hypot(x - u, y - v);
  requireNear([x - radius, y - radius, x + radius, y + radius], canvas, where);
  drawDisc(canvas, [x, y], radius);
}

/** Draws a small disc at each point. */
export function drawPoints(canvas: Canvas, points: readonly Point[], where: string): void {
  requireNear(points.flat(), canvas, where);
  for (const point of points) drawDisc(canvas, point, POINT_RADIUS);
}

/** Draws the lines from each point to the next one. */
export function drawLines(canvas: Canvas, points: readonly Point[], where: string): void {
  requireNear(points.flat(), canvas, where);
  const corners = whole(points);
  for (const [i, [x1, y1]] of corners.entries()) {
    if (i === 0) continue;
    const [x0, y0] = corners[i - 1] as Point;
    const length = Math.hypot(x1 - x0, y1 - y0);
    if (length === 0) continue;
    // An even width has no middle, so one side is wider by a pixel than the other one.
    const [wide, narrow] = [LINE_WIDTH / 2 / length, (LINE_WIDTH / 2 - 1) / length];
    const [dx, dy] = [x1 - x0, y1 - y0];
    const side = (ratio: number) => [roundHalfUp(ratio * dy), roundHalfUp(ratio * dx)] as const;
    const [[ax, ay], [bx, by]] = [side(narrow), side(wide)];
    fillCorners(canvas, [
      [x0 - ax, y0 + by],
      [x1 - ax, y1 + by],
      [x1 + bx, y1 - ay],
      [x0 + bx, y0 - ay],
    ]);
  }
}

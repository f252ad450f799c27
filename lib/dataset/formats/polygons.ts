/** Makes polygons of defects for formats that cannot store masks. */
import type { Defect } from '../components.js';
import { type Point, type Ring, ringsOf } from './outline.js';

/** Returns the distance of a point from the line between two points. */
function distance({ x, y }: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const squared = dx * dx + dy * dy;
  const at = squared === 0 ? 0 : Math.min(Math.max(((x - a.x) * dx + (y - a.y) * dy) / squared, 0), 1);
  return Math.hypot(x - a.x - at * dx, y - a.y - at * dy);
}

/** Marks the points between `first` and `last` that the line needs (Ramer, Douglas and Peucker). */
function keepBetween(points: readonly Point[], first: number, last: number, error: number, keep: Uint8Array): void {
  const open: [number, number][] = [[first, last]];
  for (let span = open.pop(); span; span = open.pop()) {
    const [from, to] = span;
    const [a, b] = [points[from % points.length] as Point, points[to % points.length] as Point];
    let [most, at] = [error, -1];
    for (let i = from + 1; i < to; i++) {
      const off = distance(points[i % points.length] as Point, a, b);
      if (off > most) [most, at] = [off, i];
    }
    if (at < 0) continue;
    keep[at % points.length] = 1;
    open.push([from, at], [at, to]);
  }
}

/**
 * Leaves out points of a closed line. Every point of the line is at most `error` pixels from the result. The points at
 * `fixed` stay.
 */
export function simplifyRing(points: readonly Point[], error: number, fixed: readonly number[] = []): Uint8Array {
  const keep = new Uint8Array(points.length);
  const first = points[0] as Point;
  let far = 0;
  for (const [i, { x, y }] of points.entries()) {
    const most = points[far] as Point;
    if (Math.hypot(x - first.x, y - first.y) > Math.hypot(most.x - first.x, most.y - first.y)) far = i;
  }
  const stays = [...new Set([0, far, ...fixed])].sort((a, b) => a - b);
  for (const [i, from] of stays.entries()) {
    keep[from] = 1;
    keepBetween(points, from, stays[i + 1] ?? points.length + (stays[0] as number), error, keep);
  }
  return keep;
}

/** Finds points in a line. Many holes may be joined to one line, so its points are looked up in a table. */
class PointIndex {
  readonly #places = new Map<number, number>();
  /** A number above every column, so that each point has a number of its own. */
  readonly #columns: number;

  constructor(points: readonly Point[]) {
    this.#columns = points.reduce((most, { x }) => Math.max(most, x + 1), 0);
    for (const [i, { x, y }] of points.entries()) this.#places.set(y * this.#columns + x, i);
  }

  /** Returns the last place of a point of the line. */
  of({ x, y }: Point): number {
    return this.#places.get(y * this.#columns + x) as number;
  }
}

/** A polygon of a line without any width would be empty, so it is this much wider, in pixels on each side. */
const HALF_WIDTH = 0.45;

/** Widens the polygon of a single row or column of pixels to a rectangle. */
function widened(points: readonly Point[]): readonly Point[] {
  let { x: left, y: top } = points[0] as Point;
  let [right, bottom] = [left, top];
  for (const { x, y } of points) {
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  if (left !== right && top !== bottom) return points;
  const [dx, dy] = [left === right ? HALF_WIDTH : 0, top === bottom ? HALF_WIDTH : 0];
  return [
    { x: left - dx, y: top - dy },
    { x: right + dx, y: top - dy },
    { x: right + dx, y: bottom + dy },
    { x: left - dx, y: bottom + dy },
  ];
}

/**
 * Returns a polygon for each component of a defect. Its corners are the middles of pixels at the border, so that
 * programs that fill a polygon and draw its border get the pixels of the defect. Each hole is joined to its border by a
 * line that is walked in both directions. `error` is the largest distance of a border pixel from the polygon, in pixels.
 */
export function polygonsOf(defect: Pick<Defect, 'box' | 'runs'>, error: number): Point[][] {
  const rings = ringsOf(defect);
  const joints = rings.map(() => new Map<number, number[]>());
  const indices = new Map<number, PointIndex>();
  const indexOf = (ring: number) => {
    const index = indices.get(ring) ?? new PointIndex((rings[ring] as Ring).points);
    indices.set(ring, index);
    return index;
  };
  const starts = rings.map(({ bridge }, child) => {
    if (!bridge) return 0;
    const at = indexOf(bridge.ring).of(bridge.to);
    const children = joints[bridge.ring] as Map<number, number[]>;
    children.set(at, [...(children.get(at) ?? []), child]);
    return indexOf(child).of(bridge.from);
  });
  const lines: Point[][] = [];
  // A ring comes before the holes that are joined to it, so the holes are made first.
  for (let ring = rings.length - 1; ring >= 0; ring--) {
    const { points } = rings[ring] as Ring;
    const own = joints[ring] as Map<number, number[]>;
    const start = starts[ring] as number;
    const keep = simplifyRing(points, error, [start, ...own.keys()]);
    const line: Point[] = [];
    for (let step = 0; step < points.length; step++) {
      const at = (start + step) % points.length;
      const point = points[at] as Point;
      if (keep[at] === 1) line.push(point);
      for (const child of own.get(at) ?? []) {
        for (const one of lines[child] as Point[]) line.push(one);
        line.push(point);
        lines[child] = []; // A hole may join many others, so memory would hold their points again and again.
      }
    }
    if ((rings[ring] as Ring).bridge) line.push(points[start] as Point); // The hole's ring is closed.
    lines[ring] = line;
  }
  return rings.flatMap(({ bridge }, ring) => {
    if (bridge) return [];
    const line = widened(lines[ring] as Point[]);
    return [line.length < 3 ? [...line, line.at(-1) as Point] : [...line]];
  });
}

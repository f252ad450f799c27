/** Traces the outlines of defects and of the holes in them. */
import type { Defect } from '../components.js';

/** A pixel, by its column and row in the photograph. */
export interface Point {
  x: number;
  y: number;
}

/** A closed line through the pixels at the border of a component or of a hole. All of them are marked. */
export interface Ring {
  points: Point[];
  /**
   * A hole is joined to an earlier ring of the list: `from` is a point of the hole's ring, `to` is one of the other
   * ring, and all pixels between them are marked. It is undefined for the outer border of a component.
   */
  bridge?: { ring: number; from: Point; to: Point };
}

/** A pixel has these sides. A walk around a border has marked pixels on its right, so that it goes up along a left side. */
const LEFT = 0;
const DIRECTIONS = [
  { x: 0, y: -1 },
  { x: 1, y: 0 },
  { x: 0, y: 1 },
  { x: -1, y: 0 },
] as const;

/** A bitmap of the defect's box with one empty pixel around it. */
interface Bitmap {
  width: number;
  data: Uint8Array;
}

function paint({ box, runs }: Pick<Defect, 'box' | 'runs'>): Bitmap {
  const width = box.width + 2;
  const data = new Uint8Array(width * (box.height + 2));
  for (const { y, start, end } of runs) {
    const row = (y - box.top + 1) * width - box.left + 1;
    data.fill(1, row + start, row + end);
  }
  return { width, data };
}

/** Walks around one border from the left side of a pixel. Returns the pixels, and marks each left side with `ring`. */
function walk({ width, data }: Bitmap, start: number, ring: number, rings: Int32Array): number[] {
  const steps = DIRECTIONS.map(({ x, y }) => y * width + x);
  const pixels = [start];
  let [pixel, side] = [start, LEFT];
  do {
    if (side === LEFT) rings[pixel] = ring;
    const ahead = pixel + (steps[side] as number);
    const toTheLeft = (side + 3) % 4;
    const beside = ahead + (steps[toTheLeft] as number);
    const before = pixel;
    // Marked pixels that touch at a corner belong together, so the walk turns to the one on the left first.
    if (data[beside] === 1) [pixel, side] = [beside, toTheLeft];
    else if (data[ahead] === 1) pixel = ahead;
    else side = (side + 1) % 4;
    if (pixel !== before) pixels.push(pixel);
  } while (pixel !== start || side !== LEFT);
  if (pixels.length > 1) pixels.pop(); // The walk ends at the pixel where it began.
  return pixels;
}

/**
 * Returns the outlines of the components of a defect and of their holes. Pixels that touch at a corner are connected.
 * An outline that is filled together with its own pixels, without those inside of the outlines of its holes, gives the
 * defect exactly.
 */
export function ringsOf(defect: Pick<Defect, 'box' | 'runs'>): Ring[] {
  const bitmap = paint(defect);
  const { width, data } = bitmap;
  const { box } = defect;
  const pointOf = (pixel: number): Point => ({
    x: box.left + (pixel % width) - 1,
    y: box.top + Math.floor(pixel / width) - 1,
  });
  const rings: Ring[] = [];
  const ringAt = new Int32Array(data.length).fill(-1);
  const labels = new Components(bitmap);
  for (let pixel = data.indexOf(1); pixel >= 0; pixel = data.indexOf(1, pixel + 1)) {
    if (data[pixel - 1] === 1 || ringAt[pixel] !== -1) continue;
    const points = walk(bitmap, pixel, rings.length, ringAt).map(pointOf);
    if (labels.isNew(pixel)) {
      rings.push({ points });
      continue;
    }
    // This is the first row of a hole, so the row left of it leads over the hole to a ring that was found before.
    const from = data.lastIndexOf(1, pixel - 1);
    const to = data.lastIndexOf(0, from) + 1;
    rings.push({ points, bridge: { ring: ringAt[to] as number, from: pointOf(from), to: pointOf(to) } });
  }
  return rings;
}

/** Tells which components were found. */
class Components {
  readonly #seen: Uint8Array;

  constructor(private readonly bitmap: Bitmap) {
    this.#seen = new Uint8Array(bitmap.data.length);
  }

  /** Returns true if the component of a pixel was not asked for before. */
  isNew(pixel: number): boolean {
    if (this.#seen[pixel] === 1) return false;
    const { width, data } = this.bitmap;
    const around = [-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1];
    const open = [pixel];
    this.#seen[pixel] = 1;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const step of around) {
        const next = at + step;
        if (data[next] !== 1 || this.#seen[next] === 1) continue;
        this.#seen[next] = 1;
        open.push(next);
      }
    }
    return true;
  }
}

import { describe, expect, it } from 'vitest';
import type { PixelData } from '../../lib/core/image.js';
import { type Random, randomFrom } from '../../lib/core/random.js';
import { defectsIn } from '../../lib/dataset/components.js';
import { encodeRle } from '../../lib/dataset/formats/encode-rle.js';
import type { Point } from '../../lib/dataset/formats/outline.js';
import { polygonsOf } from '../../lib/dataset/formats/polygons.js';

/** A mask from a drawing in which # is marked. */
function drawn(...rows: string[]): PixelData {
  const width = (rows[0] as string).length;
  const data = Uint8Array.from(rows.join(''), (mark) => (mark === '#' ? 255 : 0));
  return { data, width, height: rows.length, channels: 1 };
}

/** A mask of which a share of the pixels is marked at random. */
function speckled(rng: Random, width: number, height: number, share: number): PixelData {
  const data = Uint8Array.from({ length: width * height }, () => (rng.next() < share ? 255 : 0));
  return { data, width, height, channels: 1 };
}

const wholeDefect = ({ data, width, height }: PixelData) => ({
  box: { left: 0, top: 0, width, height },
  runs: [...data].flatMap((value, i) =>
    value === 255 ? [{ y: Math.floor(i / width), start: i % width, end: (i % width) + 1 }] : [],
  ),
});

describe('encodeRle', () => {
  /** These codes are those of pycocotools 2.0. */
  it.each([
    ['one pixel in the middle', drawn('...', '.#.', '...'), '414'],
    ['nothing but marked pixels', drawn('###', '###'), '06'],
    ['a marked corner at the end', drawn('..', '.#'), '31'],
    ['columns that are marked down to their end', drawn('.##.', '.##.', '....'), '32103'],
  ])('codes %s', (_, mask, counts) => {
    expect(encodeRle(wholeDefect(mask), mask)).toBe(counts);
  });

  it('codes lengths above 15 with several characters, and differences below zero', () => {
    // 40 unmarked, 3 marked, 20 unmarked, 1 marked and 36 unmarked pixels in columns of 10.
    const data = new Uint8Array(100);
    const mark = (at: number) => {
      data[(at % 10) * 10 + Math.floor(at / 10)] = 255;
    };
    for (const at of [40, 41, 42, 63]) mark(at);
    const mask: PixelData = { data, width: 10, height: 10, channels: 1 };
    expect(encodeRle(wholeDefect(mask), mask)).toBe('X13d0N`0');
  });
});

/** Fills a closed line by the even-odd rule and draws its border, as programs do with polygons of YOLO. */
function filled(polygon: readonly Point[], { width, height }: PixelData, into: Uint8Array): void {
  const inside = new Uint8Array(width * height);
  for (const [i, a] of polygon.entries()) {
    const b = polygon[(i + 1) % polygon.length] as Point;
    const steps = Math.max(Math.abs(b.x - a.x), Math.abs(b.y - a.y), 1);
    for (let step = 0; step <= steps; step++) {
      const [x, y] = [a.x + ((b.x - a.x) * step) / steps, a.y + ((b.y - a.y) * step) / steps];
      into[Math.floor(y + 0.5) * width + Math.floor(x + 0.5)] = 255;
    }
    // Each edge turns over all pixels on its right, in rows that are a little below the corners.
    for (let y = 0; y < height; y++) {
      const at = y + 0.001;
      if (a.y > at === b.y > at) continue;
      const cross = a.x + ((at - a.y) * (b.x - a.x)) / (b.y - a.y);
      for (let x = Math.ceil(cross); x < width; x++) inside[y * width + x] = 1 - (inside[y * width + x] as number);
    }
  }
  for (let i = 0; i < inside.length; i++) if (inside[i] === 1) into[i] = 255;
}

const refilled = (mask: PixelData, error: number): Uint8Array => {
  const data = new Uint8Array(mask.data.length);
  for (const defect of defectsIn(mask, 0)) for (const one of polygonsOf(defect, error)) filled(one, mask, data);
  return data;
};

/** Returns the distance of a point from a closed line. */
function distanceTo({ x, y }: Point, polygon: readonly Point[]): number {
  return Math.min(
    ...polygon.map((a, i) => {
      const b = polygon[(i + 1) % polygon.length] as Point;
      const squared = (b.x - a.x) ** 2 + (b.y - a.y) ** 2;
      const t = squared === 0 ? 0 : ((x - a.x) * (b.x - a.x) + (y - a.y) * (b.y - a.y)) / squared;
      const at = Math.min(Math.max(t, 0), 1);
      return Math.hypot(x - a.x - at * (b.x - a.x), y - a.y - at * (b.y - a.y));
    }),
  );
}

describe('polygonsOf', () => {
  it.each([
    ['a pixel', drawn('...', '.#.', '...')],
    ['a row', drawn('.....', '.###.')],
    ['a column', drawn('#', '#', '#')],
    ['a whole image', drawn('###', '###', '###')],
    ['a hole', drawn('#####', '#...#', '#.###', '#####')],
    ['an island in a hole', drawn('#######', '#.....#', '#..#..#', '#.....#', '#######')],
    ['two holes side by side', drawn('#######', '#..#..#', '#######')],
    ['holes that touch at a corner', drawn('#####', '#.###', '##.##', '#####')],
    ['corners that touch', drawn('#...#', '.#.#.', '..#..', '.#.#.')],
  ])('gives %s back without an error', (_, mask) => {
    expect(refilled(mask, 0)).toEqual(mask.data);
  });

  it('gives any mask back without an error', () => {
    const rng = randomFrom(5);
    for (let i = 0; i < 60; i++) {
      const mask = speckled(rng, 4 + (i % 13), 3 + (i % 7), 0.2 + 0.7 * rng.next());
      expect(refilled(mask, 0), `mask ${i}`).toEqual(mask.data);
    }
  });

  it('leaves out corners, but stays within the error', () => {
    const [width, height] = [120, 90];
    const data = Uint8Array.from({ length: width * height }, (_, i) =>
      Math.hypot((i % width) - 60, Math.floor(i / width) - 45) < 40 ? 255 : 0,
    );
    const [defect] = defectsIn({ data, width, height, channels: 1 }, 0) as [ReturnType<typeof defectsIn>[0]];
    const [exact] = polygonsOf(defect, 0) as [Point[]];
    for (const error of [0.5, 1, 3]) {
      const [polygon] = polygonsOf(defect, error) as [Point[]];
      expect(polygon.length).toBeLessThan(exact.length / 2);
      for (const point of exact) expect(distanceTo(point, polygon)).toBeLessThanOrEqual(error + 1e-9);
    }
  });

  it('has at least three corners and an area in both directions', () => {
    for (const mask of [drawn('#'), drawn('##'), drawn('#.', '.#'), drawn('#', '#')]) {
      const [polygon] = polygonsOf(defectsIn(mask, 0)[0] as never, 2) as [Point[]];
      expect(polygon.length).toBeGreaterThanOrEqual(3);
      const extent = (values: number[]) => Math.max(...values) - Math.min(...values);
      expect(extent(polygon.map(({ x }) => x))).toBeGreaterThan(0);
      expect(extent(polygon.map(({ y }) => y))).toBeGreaterThan(0);
    }
  });
});

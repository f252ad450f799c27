import { describe, expect, it } from 'vitest';
import { boxWithoutDefect, evenly, piecesOf, regionAround, squareAround } from '../../lib/dataset/region-plan.js';

const runsOf = (left: number, top: number, width: number, height: number) =>
  Array.from({ length: height }, (_, i) => ({ y: top + i, start: left, end: left + width }));
const solid = (left: number, top: number, width: number, height: number) => ({
  box: { left, top, width, height },
  runs: runsOf(left, top, width, height),
});

describe('the plan of regions', () => {
  it('keeps a defect that fits into a window whole', () => {
    const defect = solid(3, 5, 64, 40);
    expect(piecesOf(defect, 64)).toEqual([defect.box]);
  });

  it('cuts a larger defect into pieces that cover all of it, each at most half a window along a cut axis', () => {
    for (const [width, height] of [
      [65, 10],
      [300, 200],
      [1000, 7],
      [65, 64],
    ] as const) {
      const pieces = piecesOf(solid(11, 13, width, height), 64);
      const covered = pieces.reduce((area, piece) => area + piece.width * piece.height, 0);
      expect(covered).toBe(width * height); // The pieces of a rectangle cover it without overlap.
      for (const piece of pieces) {
        expect(piece.width).toBeLessThanOrEqual(width <= 64 ? 64 : 33);
        expect(piece.height).toBeLessThanOrEqual(height <= 64 ? 64 : 33);
      }
    }
  });

  it('puts no piece where a large defect is hollow', () => {
    const runs = [...runsOf(0, 0, 300, 2), ...runsOf(0, 2, 2, 296), ...runsOf(0, 298, 300, 2)];
    const pieces = piecesOf({ box: { left: 0, top: 0, width: 300, height: 300 }, runs }, 64);
    expect(pieces.filter(({ left, top }) => left > 40 && top > 40 && top < 250)).toEqual([]);
    expect(pieces.length).toBeGreaterThan(20);
  });

  it('gives a region in which every window shows the whole piece', () => {
    const photograph = { width: 500, height: 300 };
    for (const piece of [
      { left: 200, top: 100, width: 30, height: 20 },
      { left: 0, top: 0, width: 10, height: 300 - 172 },
      { left: 480, top: 290, width: 20, height: 10 },
      { left: 100, top: 50, width: 128, height: 128 },
    ]) {
      const region = regionAround(piece, photograph, 128);
      expect(region.left).toBeGreaterThanOrEqual(0);
      expect(region.top).toBeGreaterThanOrEqual(0);
      expect(region.left + region.width).toBeLessThanOrEqual(500);
      expect(region.top + region.height).toBeLessThanOrEqual(300);
      expect(Math.min(region.width, region.height)).toBeGreaterThanOrEqual(128);
      expect(Math.max(region.width, region.height)).toBeLessThan(256);
      // The first and the last window along an axis hold the piece, so those between do, too.
      expect(region.left + 128).toBeGreaterThanOrEqual(piece.left + piece.width);
      expect(region.left + region.width - 128).toBeLessThanOrEqual(piece.left);
      expect(region.top + 128).toBeGreaterThanOrEqual(piece.top + piece.height);
      expect(region.top + region.height - 128).toBeLessThanOrEqual(piece.top);
    }
    expect(regionAround({ left: 200, top: 100, width: 30, height: 20 }, photograph, 128)).toEqual({
      ...{ left: 102, width: 226 }, // all windows: from 102, which ends at the piece's right end, to 200
      ...{ top: 0, height: 228 }, // The photograph ends at 0.
    });
  });

  it('reaches beyond a photograph that is smaller than a window, on both sides alike', () => {
    const piece = { left: 20, top: 20, width: 10, height: 10 };
    expect(regionAround(piece, { width: 100, height: 400 }, 128)).toMatchObject({ left: -14, width: 128, top: 0 });
    expect(regionAround(piece, { width: 101, height: 128 }, 128)).toMatchObject({
      ...{ left: -14, width: 128, top: 0, height: 128 },
    });
  });

  it('puts a piece into the middle of a square, as far as the border allows', () => {
    const photograph = { width: 500, height: 100 };
    const square = { width: 128, height: 128 };
    const around = (left: number) => squareAround({ left, top: 20, width: 30, height: 20 }, photograph, 128);
    expect(around(200)).toEqual({ left: 215 - 64, top: -14, ...square });
    expect(around(470)).toEqual({ left: 500 - 128, top: -14, ...square });
  });

  it('spreads boxes without a defect over photographs', () => {
    const boxes = Array.from({ length: 64 }, (_, i) => boxWithoutDefect(i, { width: 1000, height: 300 }, 128, 256));
    const quarters = new Set<string>();
    for (const { left, top, width, height } of boxes) {
      expect([width, height]).toEqual([256, 256]);
      expect(left).toBeGreaterThanOrEqual(0);
      expect(left + width).toBeLessThanOrEqual(1000);
      expect(top).toBeGreaterThanOrEqual(0);
      expect(top + height).toBeLessThanOrEqual(300);
      quarters.add(`${Math.floor((4 * left) / 745)} ${Math.floor((4 * top) / 45)}`);
    }
    expect(quarters.size).toBe(16);
    expect(boxWithoutDefect(3, { width: 100, height: 200 }, 128, 256)).toMatchObject({
      ...{ left: -14, width: 128, top: 0, height: 200 },
    });
  });

  it('chooses evenly', () => {
    const values = Array.from({ length: 10 }, (_, i) => i);
    expect(evenly(values, 20)).toEqual(values);
    expect(evenly(values, 5)).toEqual([0, 2, 4, 6, 8]);
    expect(new Set(evenly(values, 7)).size).toBe(7);
  });
});

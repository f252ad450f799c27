import { describe, expect, it } from 'vitest';
import { WindowGrid } from '../../lib/dataset/photograph-window.js';
import { cutSides, softAutomaticPlace, softRegionPlace, wholeExamples } from '../../lib/model/place/soft-place.js';
import { boxMask, example, picture } from '../helpers/placing.js';

const SIDE = 32;
const photograph = picture(200, 150);
const grid = (left: number, top: number, side = SIDE) => new WindowGrid({ left, top, side }, SIDE);
const at = (mask: Uint8Array, column: number, row: number) => mask[row * SIDE + column];

/** The distance of each pixel of a place to the nearest pixel outside of it, in rows or columns, by comparing all. */
function distances(place: Uint8Array): number[] {
  const all = [...place.keys()].map((i) => [i % SIDE, Math.floor(i / SIDE)] as const);
  const closed = all.filter((_, i) => place[i] === 0);
  return all.map(([x, y]) => Math.min(...closed.map(([u, v]) => Math.max(Math.abs(x - u), Math.abs(y - v)))));
}

describe('the place of a region', () => {
  it('falls off over 4 pixels inside the region, in any shape', () => {
    const other = boxMask(SIDE, SIDE, [20, 12, 10, 17]).data;
    const place = boxMask(SIDE, SIDE, [3, 5, 20, 18]).data.map((value, i) => Math.max(value, other[i] as number));
    const expected = distances(place).map((distance) => Math.round(255 * Math.min(1, distance / 5)));
    expect([...softRegionPlace(place, grid(80, 60), photograph)]).toEqual(expected);
  });

  it('keeps its full weight in the middle if it is narrow', () => {
    for (const [width, rise] of [
      [1, [255]],
      [3, [128, 255, 128]],
      [8, [85, 170, 255, 255, 255, 255, 170, 85]],
    ] as const) {
      const soft = softRegionPlace(boxMask(SIDE, SIDE, [4, 2, width, 20]).data, grid(80, 60), photograph);
      expect([...soft.subarray(12 * SIDE + 4, 12 * SIDE + 4 + width)]).toEqual(rise);
    }
  });

  it('falls off towards the border of the window, but not of the photograph', () => {
    const whole = boxMask(SIDE, SIDE, [0, 0, SIDE, SIDE]).data;
    expect(at(softRegionPlace(whole, grid(80, 60), photograph), 0, 16)).toBe(51);
    const corner = softRegionPlace(whole, grid(168, 118), photograph);
    expect([at(corner, 0, 16), at(corner, 31, 16), at(corner, 16, 31), at(corner, 16, 0)]).toEqual([51, 255, 255, 51]);
    // A window that is larger than the photograph has a mirrored border, in which nothing is open.
    const middle = boxMask(SIDE, SIDE, [6, 0, 20, SIDE]).data;
    expect(new Set(softRegionPlace(middle, grid(-6, 0), picture(20, SIDE)))).toEqual(new Set([0, 255]));
  });
});

describe('an automatic place', () => {
  const none = { left: false, top: false, right: false, bottom: false };
  const defect = { image: photograph.data, mask: boxMask(SIDE, SIDE, [6, 8, 20, 16]).data };
  const place = boxMask(SIDE, SIDE, [4, 6, 24, 20]).data;

  it('keeps its weight if nothing cuts the defect', () => {
    const inner = { ...defect, mask: boxMask(SIDE, SIDE, [12, 12, 8, 8]).data };
    const around = boxMask(SIDE, SIDE, [10, 10, 12, 12]).data;
    expect([...softAutomaticPlace(around, inner, none, grid(80, 60), photograph)]).toEqual([...around]);
  });

  it('falls off over 8 pixels towards the sides that cut the defect, at any scale', () => {
    for (const side of [SIDE, 2 * SIDE, SIDE / 2]) {
      const window = grid(80, 60, side);
      const soft = softAutomaticPlace(place, defect, { ...none, left: true, bottom: true }, window, photograph);
      const rise = (distance: number) => Math.round((255 * distance) / 9);
      expect([4, 5, 6, 7, 13, 14].map((column) => at(soft, column, 15))).toEqual([0, 0, ...[1, 2, 8, 9].map(rise)]);
      expect([25, 24, 23, 22].map((row) => at(soft, 16, row))).toEqual([0, 0, rise(1), rise(2)]);
    }
  });

  it('falls off towards the border of its window, but not of the photograph', () => {
    const soft = softAutomaticPlace(place, defect, none, grid(80, 60), photograph);
    expect([4, 6, 8, 16, 23, 27].map((column) => at(soft, column, 16))).toEqual(
      [5, 7, 9, 9, 9, 5].map((distance) => Math.round((255 * distance) / 9)),
    );
    const corner = softAutomaticPlace(place, defect, { ...none, right: true }, grid(174, 60), photograph);
    expect([25, 24].map((column) => at(corner, column, 16))).toEqual([255, 255]); // The photograph ends at column 26.
  });
});

it('knows which sides of a window cut a defect', () => {
  const sides = (box: readonly [number, number, number, number]) => cutSides(example(box).mask);
  const none = { left: false, top: false, right: false, bottom: false };
  expect(sides([1, 1, 30, 30])).toEqual(none);
  expect(sides([0, 1, 30, 31])).toEqual({ ...none, left: true, bottom: true });
  expect(sides([3, 0, 29, 9])).toEqual({ ...none, top: true, right: true });
  expect(cutSides(new Uint8Array(SIDE * SIDE))).toEqual(none);
  const [whole, cut] = [example([1, 1, 5, 5]), example([0, 1, 5, 5])];
  expect(wholeExamples([])).toEqual([]);
  expect(wholeExamples([cut, whole, cut])).toEqual([whole]);
  expect(wholeExamples([cut, whole, cut, cut])).toHaveLength(4);
});

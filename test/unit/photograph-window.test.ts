import { describe, expect, it } from 'vitest';
import { cutWindow, insideOf, marksOf, WindowGrid, windowAround } from '../../lib/dataset/photograph-window.js';
import { boxMask, picture } from '../helpers/placing.js';

const photograph = picture(60, 40);

describe('windowAround', () => {
  it.each([
    ['in the middle', [30, 20], { left: 20, top: 10 }],
    ['at the left and upper border', [2, 1], { left: 0, top: 0 }],
    ['at the right and lower border', [59, 39], { left: 40, top: 20 }],
  ])('keeps a window %s inside the photograph', (_, [x, y], expected) => {
    expect(windowAround(x as number, y as number, 20, photograph)).toEqual({ ...expected, side: 20 });
  });

  it('lets a window that does not fit reach beyond both borders equally', () => {
    const window = windowAround(5, 5, 50, photograph);
    expect(window).toEqual({ left: 0, top: -5, side: 50 });
    expect(insideOf(window, photograph)).toEqual({ left: 0, top: 0, width: 50, height: 40 });
  });
});

describe('cutWindow', () => {
  it('copies the pixels of the photograph and mirrors them beyond the border', async () => {
    const at = (x: number, y: number) => [...photograph.data.subarray(3 * (y * 60 + x), 3 * (y * 60 + x) + 3)];
    const { data } = await cutWindow(photograph, { left: 10, top: -5, side: 50 });
    const cut = (x: number, y: number) => [...data.subarray(3 * (y * 50 + x), 3 * (y * 50 + x) + 3)];
    expect(cut(0, 5)).toEqual(at(10, 0));
    expect(cut(7, 30)).toEqual(at(17, 25));
    expect(cut(3, 4)).toEqual(at(13, 0));
    expect(cut(3, 0)).toEqual(at(13, 4));
    expect(cut(9, 49)).toEqual(at(19, 35));
  });
});

describe('WindowGrid', () => {
  it.each([8, 16, 32])('shows every marked pixel of a window of 16 at %i pixels', (resolution) => {
    const window = { left: 21, top: 7, side: 16 };
    const marks = marksOf(boxMask(60, 40, [25, 9, 1, 1]), photograph);
    const grid = new WindowGrid(window, resolution);
    const mask = grid.maskOf(marks);
    expect(mask.filter((value) => value === 255).length).toBe(resolution === 32 ? 4 : 1);
    const back = grid.marksOf(mask);
    expect(back(25, 9)).toBe(true);
    expect(back(25, 12)).toBe(false);
    expect(back(20, 9)).toBe(false);
  });

  it('marks nothing outside the photograph', () => {
    const all = marksOf(boxMask(60, 40, [0, 0, 60, 40]), photograph);
    const mask = new WindowGrid({ left: -4, top: 0, side: 8 }, 8).maskOf(all);
    expect([...mask.subarray(0, 8)]).toEqual([0, 0, 0, 0, 255, 255, 255, 255]);
  });

  it('reads a mask that is smaller than the photograph', () => {
    const marks = marksOf(boxMask(6, 4, [2, 1, 1, 1]), photograph);
    expect([marks(20, 10), marks(29, 19), marks(30, 10), marks(19, 10)]).toEqual([true, true, false, false]);
  });
});

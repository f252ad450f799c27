import { describe, expect, it } from 'vitest';
import { type Filters, NO_FILTERS, shownPairs } from '../../lib/components/filters.js';
import type { ReviewPair } from '../../lib/review/contract.js';
import { History } from '../../lib/review/page/history.js';
import { areaOf, clearComponent, drawLine, type Mask, outlineOf, spread } from '../../lib/review/page/mask.js';
import { panned, revealed, transformOf, WHOLE, zoomed, zoomedAt, zoomedTo } from '../../lib/review/page/viewport.js';
import { gridLayout, visibleCells } from '../../lib/review/page/virtual-grid.js';

/** Reads a mask from a drawing, in which `#` is a marked pixel. */
function maskOf(...rows: string[]): Mask {
  const data = Uint8Array.from(rows.join(''), (sign) => (sign === '#' ? 255 : 0));
  return { data, width: rows[0]?.length ?? 0, height: rows.length };
}
const drawingOf = ({ data, width, height }: Mask) =>
  Array.from({ length: height }, (_, y) =>
    [...data.subarray(y * width, (y + 1) * width)].map((value) => (value === 0 ? '.' : '#')).join(''),
  );
const blank = (width: number, height: number): Mask => ({ data: new Uint8Array(width * height), width, height });

describe('a mask that is mended', () => {
  it('gets single pixels from the smallest brush, and a slanted line without gaps', () => {
    const mask = blank(7, 4);
    drawLine(mask, { x: 0.5, y: 0.5 }, { x: 6.5, y: 3.5 }, 1, 255);
    expect(drawingOf(mask)).toEqual(['##.....', '.###...', '...###.', '.....##']);
  });

  it('gets the disc of a brush at its border, and nothing on the opposite side', () => {
    const mask = blank(6, 5);
    drawLine(mask, { x: 5.5, y: 2.5 }, { x: 5.5, y: 2.5 }, 3, 255);
    expect(drawingOf(mask)).toEqual(['......', '....##', '....##', '....##', '......']);
    drawLine(mask, { x: -40, y: -40 }, { x: -40, y: -40 }, 5, 255);
    expect(areaOf(mask)).toBe(6);
  });

  it('draws every pixel whose centre is near enough to the line, as a slow search finds it', () => {
    const mask = blank(40, 30);
    const [from, to, size] = [{ x: 4.5, y: 22.5 }, { x: 33.5, y: 5.5 }, 8];
    drawLine(mask, from, to, size, 255);
    const steps = Array.from({ length: 2001 }, (_, i) => i / 2000);
    for (let i = 0; i < mask.data.length; i++) {
      const [x, y] = [(i % 40) + 0.5, Math.floor(i / 40) + 0.5];
      const distances = steps.map((t) =>
        Math.hypot(x - from.x - t * (to.x - from.x), y - from.y - t * (to.y - from.y)),
      );
      const nearest = distances.reduce((least, one) => Math.min(least, one));
      if (Math.abs(nearest - size / 2) > 1e-4) expect(mask.data[i] !== 0, `${x}, ${y}`).toBe(nearest < size / 2);
    }
  });

  it('grows to its four neighbours, and shrinks to its inside', () => {
    const mask = maskOf('......', '.####.', '.####.', '.####.', '......');
    const before = drawingOf(mask);
    spread(mask, 255);
    expect(drawingOf(mask)).toEqual(['.####.', '######', '######', '######', '.####.']);
    const block = maskOf(...before);
    spread(block, 0);
    expect(drawingOf(block)).toEqual(['......', '......', '..##..', '......', '......']);
  });

  it('loses the connected area under the cursor only, of eight neighbours', () => {
    const mask = maskOf('##...#', '..#..#', '...#..', '.....#');
    expect(clearComponent(mask, { x: 0.5, y: 0.5 })).toBe(4);
    expect(drawingOf(mask)).toEqual(['.....#', '.....#', '......', '.....#']);
    expect(clearComponent(mask, { x: 2.5, y: 2.5 })).toBe(0);
    expect(clearComponent(mask, { x: 9, y: 2.5 })).toBe(0);
  });

  it('has an outline of as many sides as pixels of which one is marked', () => {
    const mask = maskOf('.##..', '.##.#', '....#', '#....');
    const sides = outlineOf(mask).reduce((sum, [x1, y1, x2, y2]) => sum + x2 - x1 + y2 - y1, 0);
    expect(sides).toBe(8 + 6 + 4);
    expect(outlineOf(maskOf('###', '###'))).toHaveLength(4);
    expect(outlineOf(blank(3, 3))).toEqual([]);
  });

  it('goes back and forth through its changes, and forgets what was undone when it is changed anew', () => {
    const mask = maskOf('....', '....');
    const history = new History(mask);
    const change = (at: number) => {
      const before = mask.data.slice();
      mask.data[at] = 255;
      history.record(before);
    };
    change(1);
    change(6);
    change(6); // This changes no pixel.
    history.undo();
    expect(drawingOf(mask)).toEqual(['.#..', '....']);
    history.undo();
    expect([areaOf(mask), history.canUndo, history.canRedo]).toEqual([0, false, true]);
    history.undo();
    history.redo();
    history.redo();
    expect(drawingOf(mask)).toEqual(['.#..', '..#.']);
    history.undo();
    change(0);
    expect([drawingOf(mask), history.canRedo]).toEqual([['##..', '....'], false]);
  });
});

describe('the viewport', () => {
  const picture = { width: 400, height: 200 };
  const view = { width: 300, height: 300 };

  it('shows the whole picture in the middle', () => {
    expect(transformOf(WHOLE, picture, view)).toEqual({ scale: 0.75, left: 0, top: 75 });
  });

  it('keeps the point under the pointer when it zooms, where the picture fills the view', () => {
    const before = zoomedTo({ left: 180, top: 80, width: 40, height: 40 }, picture);
    const pixelAt = (viewport: typeof WHOLE) => {
      const { scale, left, top } = transformOf(viewport, picture, view);
      return [(140 - left) / scale, (160 - top) / scale];
    };
    const after = zoomedAt(before, 1.7, 140, 160, picture, view);
    expect(after.zoom).toBeCloseTo(1.7 * before.zoom);
    for (const i of [0, 1]) expect(pixelAt(after)[i]).toBeCloseTo(pixelAt(before)[i] as number);
  });

  it('leaves no margin however far the picture is moved, and never shows less than 8 pixels', () => {
    const far = panned(zoomed(WHOLE, 4, picture), 1e5, -1e5, picture, view);
    const { scale, left, top } = transformOf(far, picture, view);
    expect([left, Math.round(top + scale * picture.height)]).toEqual([0, view.height]);
    expect(zoomed(WHOLE, 1e9, picture).zoom).toBe(50);
    expect(zoomed(WHOLE, 1e-9, picture).zoom).toBe(1);
  });

  it('moves just enough to show a point, and not at all if it is visible', () => {
    const start = zoomed(WHOLE, 8, picture);
    expect(revealed(start, 200, 100, picture, view)).toBe(start);
    const { scale, left, top } = transformOf(revealed(start, 350, 100, picture, view), picture, view);
    expect([left + scale * 350, top + scale * 100]).toEqual([view.width - 24, view.height / 2]);
  });
});

describe('the grid', () => {
  it('has elements for the rows in the view and two more on each side', () => {
    const layout = gridLayout(10_000, 1000, 150, 30);
    expect(layout).toEqual({ columns: 6, rowHeight: 196, height: 1667 * 196 });
    expect(visibleCells(layout, 10_000, 0, 600)).toEqual([0, 36]);
    expect(visibleCells(layout, 10_000, 196 * 100, 600)).toEqual([588, 636]);
    expect(visibleCells(layout, 10_000, layout.height - 600, 600)).toEqual([9966, 10_000]);
  });

  it('has one column where it is narrow, and no row where there is no pair', () => {
    expect(gridLayout(3, 100, 150, 30).columns).toBe(1);
    expect(visibleCells(gridLayout(0, 500, 150, 30), 0, 0, 500)).toEqual([0, 0]);
  });
});

describe('the filters', () => {
  const pair = (change: Partial<ReviewPair>): ReviewPair => ({
    ...{ index: 0, type: 'scratch', folder: 0, width: 100, height: 50, hasMask: true, suspicions: [], decision: null },
    ...{ isCorrected: false, area: 0, box: null, undoable: null, version: '' },
    ...change,
  });
  const box = (left: number, top: number) => ({ left, top, width: 10, height: 10 });
  const pairs = [
    pair({ area: 100, box: box(0, 0), agreement: 0.9, decision: 'keep' }),
    pair({ type: 'stain', area: 50, box: box(90, 40), suspicions: ['disagreeing'], agreement: 0.2 }),
    pair({ suspicions: ['empty'], decision: 'drop' }),
    pair({ hasMask: false, problem: 'The image is missing.' }),
    pair({ area: 500, box: box(45, 20), agreement: 0.5, isCorrected: true }),
  ];
  const shown = (change: Partial<Filters>) =>
    shownPairs(pairs, { ...NO_FILTERS, ...change }, ({ decision }) => decision);

  it('let through what has all that is asked for', () => {
    expect(shown({})).toEqual([0, 1, 2, 3, 4]);
    expect(shown({ type: 'stain' })).toEqual([1]);
    expect(shown({ decision: 'none' })).toEqual([1, 3, 4]);
    expect(shown({ decision: 'drop', suspicion: 'empty' })).toEqual([2]);
    expect(shown({ suspicion: 'any' })).toEqual([1, 2]);
    expect(shown({ suspicion: 'problem' })).toEqual([3]);
    expect(shown({ suspicion: 'corrected' })).toEqual([4]);
    expect(shown({ place: 'bottom right' })).toEqual([1]);
    expect(shown({ place: 'middle' })).toEqual([4]);
  });

  it('compare a range with what the page shows, and leave out pairs without the measure', () => {
    expect(shown({ ranges: { size: { from: 1, to: 2 } } })).toEqual([0, 1]);
    expect(shown({ ranges: { agreement: { to: 0.5 } } })).toEqual([1, 4]);
    expect(shown({ ranges: { agreement: {} } })).toEqual([0, 1, 2, 3, 4]);
    expect(shown({ ranges: { size: { from: 0 } } })).toEqual([0, 1, 2, 4]);
  });

  it('sort both ways, with pairs that lack the value at the end', () => {
    expect(shown({ sort: 'agreement' })).toEqual([1, 4, 0, 2, 3]);
    expect(shown({ sort: 'agreement', isDescending: true })).toEqual([0, 4, 1, 2, 3]);
    expect(shown({ sort: 'suspicion' })).toEqual([3, 2, 1, 0, 4]);
    expect(shown({ sort: 'decision' })).toEqual([1, 3, 4, 2, 0]);
    expect(shown({ sort: 'type' })).toEqual([0, 2, 3, 4, 1]);
    expect(shown({ sort: 'fromLeft' })).toEqual([0, 4, 1, 2, 3]);
    expect(shown({ sort: 'fromTop', isDescending: true })).toEqual([1, 4, 0, 2, 3]);
    expect(shown({ sort: 'size', isDescending: true })).toEqual([4, 0, 1, 2, 3]);
  });
});

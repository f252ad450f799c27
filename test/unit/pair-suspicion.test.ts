import { describe, expect, it } from 'vitest';
import { RawImage } from '../../lib/core/image.js';
import { shapesIn } from '../../lib/dataset/defect-shape.js';
import { sizeRangeOf, suspicionRank, suspicionsOf } from '../../lib/dataset/pair-suspicion.js';

const defect = (contrast: number, fit: number) => ({
  ...{ window: { left: 0, top: 0, side: 64 }, method: 'auto' as const, attempts: 1 },
  ...{ contrast, fit },
});
const pair = { type: 'crack', coverage: 0.02, empty: false };

/** Returns a mask of 100 x 50 pixels that marks boxes of left, top, width and height. */
function maskOf(...boxes: [number, number, number, number][]): RawImage {
  const data = new Uint8Array(100 * 50);
  for (const [left, top, width, height] of boxes) {
    for (let y = top; y < top + height; y++) data.fill(255, y * 100 + left, y * 100 + left + width);
  }
  return new RawImage({ data, width: 100, height: 50, channels: 1 });
}

describe('shapes of defects', () => {
  it('are shares of the image, one for each defect', () => {
    expect(shapesIn(maskOf([10, 0, 20, 10], [80, 40, 10, 10]))).toEqual([
      { area: 0.04, x: 0.2, y: 0.1 },
      { area: 0.02, x: 0.85, y: 0.9 },
    ]);
    expect(shapesIn(maskOf())).toEqual([]);
  });

  it('give the range from the smallest defect to the image with most of them', () => {
    const images = [shapesIn(maskOf([10, 0, 20, 10], [80, 40, 10, 10])), shapesIn(maskOf([0, 0, 10, 20])), []];
    const range = sizeRangeOf(images);
    expect(range?.smallest).toBeCloseTo(0.02);
    expect(range?.largest).toBeCloseTo(0.06);
    expect(sizeRangeOf([[]])).toBeUndefined();
  });
});

describe('reasons to look at a pair', () => {
  it('are none for a pair whose masks agree and whose size is that of real ones', () => {
    const agreement = { 'u2net/threshold': 0.5 };
    expect(suspicionsOf({ ...pair, touches: true, agreement }, { smallest: 0.01, largest: 0.1 })).toEqual([]);
    expect(suspicionsOf({ ...pair, defects: [defect(0.08, 0.5)] })).toEqual([]);
  });

  it('are only that it is empty where the mask marks nothing', () => {
    const empty = { ...pair, coverage: 0, empty: true, touches: false, agreement: { 'u2net/threshold': 0 } };
    expect(suspicionsOf(empty, { smallest: 0.01, largest: 0.1 })).toEqual(['empty']);
  });

  it('are that it is invisible if the mask touches nothing of the part, or all placed defects are faint', () => {
    expect(suspicionsOf({ ...pair, touches: false })).toEqual(['invisible']);
    expect(suspicionsOf({ ...pair, defects: [defect(0.079, 1), defect(0.05, 1)] })).toEqual(['invisible']);
    expect(suspicionsOf({ ...pair, defects: [defect(0.079, 1), defect(0.5, 1)] })).toEqual([]);
  });

  it('are that it disagrees if the mean over the methods, or the fit of any placed defect, is below one half', () => {
    const agreement = { 'u2net/threshold': 0.9, 'u2net/attention': 0.2, 'threshold/attention': 0.3 };
    expect(suspicionsOf({ ...pair, agreement })).toEqual(['disagreeing']);
    expect(suspicionsOf({ ...pair, agreement: { ...agreement, 'u2net/attention': 0.4 } })).toEqual([]);
    expect(suspicionsOf({ ...pair, defects: [defect(0.5, 0.9), defect(0.5, 0.49)] })).toEqual(['disagreeing']);
  });

  it('are that it is extreme beyond half and twice the real sizes, and only if these are known', () => {
    const real = { smallest: 0.01, largest: 0.1 };
    const reasons = [0.0049, 0.0051, 0.199, 0.201].map((coverage) => suspicionsOf({ ...pair, coverage }, real));
    expect(reasons).toEqual([['extreme'], [], [], ['extreme']]);
    expect(suspicionsOf({ ...pair, coverage: 1 })).toEqual([]);
  });

  it('are sorted, and a pair ranks by the first one', () => {
    const bad = { ...pair, coverage: 0.9, defects: [defect(0.01, 0.1)] };
    expect(suspicionsOf(bad, { smallest: 0.01, largest: 0.1 })).toEqual(['invisible', 'disagreeing', 'extreme']);
    expect(suspicionRank(['empty'])).toBeLessThan(suspicionRank(['invisible', 'extreme']));
    expect(suspicionRank(['extreme'])).toBeLessThan(suspicionRank([]));
  });

  it('are none where nothing can be judged: without a mask, and for the type good', () => {
    const { coverage: _, ...withoutMask } = pair;
    expect(suspicionsOf({ ...withoutMask, agreement: { 'u2net/threshold': 0 } })).toEqual([]);
    expect(suspicionsOf({ type: 'good', coverage: 0, empty: true })).toEqual([]);
  });
});

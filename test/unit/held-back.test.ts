import { describe, expect, it } from 'vitest';
import { holdBack } from '../../lib/evaluate/held-back.js';

const good = Array.from({ length: 40 }, (_, i) => `/good/${i}.png`);
const groupsOf = (perPart: number) => new Map(good.map((source, i) => [source, Math.floor(i / perPart)]));

describe('good images that are held back', () => {
  it('are a tenth of the parts, with all their photographs', () => {
    const alone = holdBack(good, groupsOf(1));
    expect(alone.heldBack).toEqual([9, 19, 29, 39].map((i) => good[i]));
    const pairs = holdBack(good, groupsOf(2));
    expect(pairs.heldBack).toEqual([18, 19, 38, 39].map((i) => good[i]));
    expect(new Set([...pairs.learned, ...pairs.heldBack])).toEqual(new Set(good));
    expect(pairs.learned).toHaveLength(36);
  });

  it('are none of fewer than ten parts', () => {
    expect(holdBack(good, groupsOf(5))).toEqual({ learned: good, heldBack: [] });
    expect(holdBack([], new Map())).toEqual({ learned: [], heldBack: [] });
  });
});

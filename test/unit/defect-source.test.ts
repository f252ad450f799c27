import { describe, expect, it } from 'vitest';
import { defectSourceOf } from '../../lib/detect/defect-source.js';
import { DETECTORS, flipsDefects } from '../../lib/detect/kinds.js';

const { unet, draem, supersimplenet, patchcore } = DETECTORS;

describe('the defects that a detector learns from', () => {
  it('are pairs if there are generated ones, for each detector that can learn from them', () => {
    for (const kind of [unet, draem, supersimplenet]) expect(defectSourceOf(kind, undefined, true)).toBe('pairs');
    expect(defectSourceOf(draem, 'crop-paste', true)).toBe('crop-paste');
  });

  it('are its own without generated pairs, if it needs none', () => {
    const found = [unet, draem, supersimplenet, patchcore].map((kind) => defectSourceOf(kind, undefined, false));
    expect(found).toEqual(['pairs', 'draem', 'none', 'none']);
    expect(defectSourceOf(draem, 'none', false)).toBe('draem');
    expect(defectSourceOf(supersimplenet, 'pairs', false)).toBe('pairs');
  });

  it('cannot be pairs that nobody would look at', () => {
    for (const chosen of [undefined, 'none'] as const) {
      expect(() => defectSourceOf(patchcore, chosen, true)).toThrow('no generated pairs for patchcore');
    }
    for (const kind of [draem, supersimplenet]) {
      expect(() => defectSourceOf(kind, 'none', true)).toThrow('but received none');
    }
    expect(() => defectSourceOf(unet, 'draem', true)).toThrow('but received draem');
  });

  it('must be ones that it can learn from', () => {
    expect(() => defectSourceOf(unet, 'none', false)).toThrow('Expected pairs, crop-paste or draem');
    expect(() => defectSourceOf(patchcore, 'pairs', false)).toThrow('Expected none for defects');
  });

  it('are flipped unless generated ones are many and good images are not flipped', () => {
    expect([flipsDefects(false, true), flipsDefects(false, false), flipsDefects(true, true)]).toEqual([
      ...[false, true, true],
    ]);
  });
});

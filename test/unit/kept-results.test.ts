/** Covers what the kept result of a network depends on. */
import { describe, expect, it } from 'vitest';
import { DETECTORS } from '../../lib/detect/kinds.js';
import { type EvaluationData, sharedParts } from '../../lib/evaluate/evaluation-data.js';
import { digestOf, type RunInput } from '../../lib/evaluate/network-run.js';
import { protocolOf } from '../../lib/evaluate/protocol.js';
import { GOOD_ONLY, type Row } from '../../lib/evaluate/rows.js';
import { checkOptions } from '../../lib/options/check.js';
import { evaluatorSchema } from '../../lib/options/evaluation.js';

const partsOf = (parts: number[]) => sharedParts(parts.map((part) => ({ part })));
const protocol = protocolOf(checkOptions(evaluatorSchema, { detectors: ['unet', 'draem'] }));
const none: Row = { name: 'none', source: 'pairs', real: true };

/** Returns the digest of a run on images of the given parts. */
function digest(network: 'detector' | 'classifier', row: Row, more: Partial<EvaluationData>, name: 'unet' | 'draem') {
  const data = { backbones: new Map(), testDigest: 'tests', ...more } as EvaluationData;
  const set = { good: { digest: 'good' }, defects: { digest: 'defects' } };
  const settings = { bestEpoch: false, device: 'cpu', checkpointEvery: 1 };
  const input = { row, detector: DETECTORS[name], seed: 0, set, data, protocol, settings };
  return digestOf(network, input as unknown as RunInput);
}

describe('the kept result of a detector', () => {
  it('depends on which test images show the same part, because intervals do', () => {
    expect(partsOf([7, 3, 9])).toBeUndefined();
    expect(partsOf([7, 3, 7])).toEqual([0, 1, 0]);
    for (const name of ['unet', 'draem'] as const) {
      const [apart, first, last] = [
        [7, 3, 9],
        [7, 7, 3],
        [3, 7, 7],
      ].map((parts) => digest('detector', none, { testParts: partsOf(parts) }, name));
      expect(new Set([apart, first, last]).size).toBe(3);
      const renumbered = digest('detector', none, { testParts: partsOf([1, 1, 0]) }, name);
      expect(renumbered).toBe(first);
    }
  });

  it('depends on the images that are held back if it learns from good images alone', () => {
    const [first, last] = ['a', 'b'].map((heldBackDigest) => ({ heldBackDigest }));
    expect(digest('detector', GOOD_ONLY, { ...first }, 'draem')).not.toBe(
      digest('detector', GOOD_ONLY, { ...last }, 'draem'),
    );
    expect(digest('detector', none, { ...first }, 'draem')).toBe(digest('detector', none, { ...last }, 'draem'));
  });

  it('stays that of earlier versions where each image shows a part of its own', () => {
    const kept = digest('detector', none, { testParts: undefined, heldBackDigest: 'a' }, 'unet');
    expect(kept).toBe('276d806f');
  });

  it('of a classifier depends on neither, because it has no intervals and no thresholds', () => {
    expect(digest('classifier', none, { testParts: [0, 0], heldBackDigest: 'a' }, 'unet')).toBe(
      digest('classifier', none, {}, 'unet'),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { agreementOf, meanAgreement } from '../../lib/dataset/agreement.js';
import type { Mask } from '../../lib/model/masker.js';

const mask = (...data: number[]): Mask => ({
  ...{ width: data.length, height: 1, channels: 1, coverage: 0 },
  data: Uint8Array.from(data),
});

describe('agreement of masks', () => {
  it('is the IoU of every two methods, and its mean over the pairs that have it', () => {
    const first = agreementOf([
      { method: 'layout', mask: mask(255, 255, 0, 0) },
      { method: 'threshold', mask: mask(0, 255, 255, 0) },
      { method: 'u2net', mask: mask(0, 0, 0, 0) },
    ]);
    expect(first).toEqual({ 'layout/threshold': 1 / 3, 'layout/u2net': 0, 'threshold/u2net': 0 });
    const second = { 'layout/threshold': 1, 'layout/u2net': 1, 'threshold/u2net': 0.5 };
    expect(meanAgreement([{ agreement: first }, {}, { agreement: second }])).toEqual({
      ...{ 'layout/threshold': 2 / 3, 'layout/u2net': 0.5, 'threshold/u2net': 0.25 },
    });
    expect(meanAgreement([{}])).toEqual({});
  });
});

import { describe, expect, it } from 'vitest';
import { Mask } from '../../lib/core/image.js';
import { agreementOf, meanAgreement } from '../../lib/dataset/agreement.js';

const mask = (...data: number[]) => new Mask({ width: data.length, height: 1, data: Uint8Array.from(data) });

describe('agreement of masks', () => {
  it('is the IoU of every two methods, and its mean over the pairs that have it', () => {
    const first = agreementOf([
      { method: 'attention', mask: mask(255, 255, 0, 0) },
      { method: 'threshold', mask: mask(0, 255, 255, 0) },
      { method: 'u2net', mask: mask(0, 0, 0, 0) },
    ]);
    expect(first).toEqual({ 'attention/threshold': 1 / 3, 'attention/u2net': 0, 'threshold/u2net': 0 });
    const second = { 'attention/threshold': 1, 'attention/u2net': 1, 'threshold/u2net': 0.5 };
    expect(meanAgreement([{ agreement: first }, {}, { agreement: second }])).toEqual({
      ...{ 'attention/threshold': 2 / 3, 'attention/u2net': 0.5, 'threshold/u2net': 0.25 },
    });
    expect(meanAgreement([{}])).toEqual({});
  });
});

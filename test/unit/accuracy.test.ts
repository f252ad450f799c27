import { expect, it } from 'vitest';
import { accuracyOf } from '../../lib/evaluate/classification.js';

it('counts the images whose type has the highest probability', () => {
  const counts = new Map([
    ['crack', 4],
    ['stain', 1],
  ]);
  const probabilities = Float32Array.from([0.9, 0.1, 0.2, 0.8, 0.6, 0.4, 0.7, 0.3, 0.3, 0.7]);
  expect(accuracyOf(probabilities, counts)).toEqual({
    types: { crack: 0.75, stain: 1 },
    average: 0.875,
    together: 0.8,
  });
});

import { describe, expect, it } from 'vitest';
import { checkOptions } from '../../lib/options/check.js';
import { sampleSchema, trainerSchema, trainSchema } from '../../lib/options/schemas.js';

describe('options', () => {
  it('fills in the defaults of the paper', () => {
    expect(checkOptions(sampleSchema, { count: 3 })).toMatchObject({
      steps: 50,
      guidanceScale: 2.5,
      scheduler: 'pndm',
      seed: 0,
    });
    expect(checkOptions(trainerSchema, { type: 'crack' })).toMatchObject({
      rank: 32,
      partFill: 'grey',
      trainImages: '1/3',
      maxGradNorm: 1,
    });
  });

  it.each([
    [sampleSchema, { count: 0 }, 'Expected an integer of at least 1 for count but received 0 of type number'],
    [sampleSchema, { count: 1, steps: 0 }, 'Expected an integer 1..1000 for steps but received 0'],
    [
      sampleSchema,
      { count: 1, guidanceInterval: [0.5, 0.2] },
      'Expected two numbers of which the second is no smaller',
    ],
    [sampleSchema, { count: 1, guidanceInterval: [0, 2] }, 'Expected a number 0..1 for guidanceInterval.1'],
    [sampleSchema, { count: 1, scheduler: 'heun' }, 'Expected one of pndm, ddim'],
    [trainSchema, { steps: 1.5 }, 'for steps but received 1.5'],
    [
      trainerSchema,
      { type: 'crack', learningRate: 0 },
      'Expected a number above 0 and up to 1 for learningRate but received 0',
    ],
    [trainerSchema, { type: 'crack', rank: 0 }, 'Expected an integer 1..320 for rank but received 0'],
    [trainerSchema, { type: 'crack', trainImages: '3/0' }, 'Expected N, a/b or a/b@k for trainImages'],
    [trainerSchema, { type: 'crack', trainImages: '1/3@0' }, 'Expected N, a/b or a/b@k for trainImages'],
    [trainerSchema, { type: 'crack', guidance: 2 }, 'Unknown option guidance'],
    [trainerSchema, {}, 'for type but received nothing'],
  ])('says what it expected and received (%#)', (schema, input, message) => {
    expect(() => checkOptions(schema, input)).toThrow(message);
  });
});

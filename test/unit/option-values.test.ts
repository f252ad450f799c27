import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../lib/core/errors.js';
import { toRgb } from '../../lib/core/image.js';
import { embedded } from '../../lib/core/paths.js';
import { checkTensor } from '../../lib/core/tensor.js';
import { checkPrompts } from '../../lib/model/prompts.js';
import { checkOptions } from '../../lib/options/check.js';
import { sampleSchema } from '../../lib/options/sampling.js';
import { embeddedModel } from '../../lib/options/stable-diffusion.js';
import { trainerSchema, trainSchema } from '../../lib/options/training.js';

describe('options', () => {
  it('that are left out have the defaults of the paper and of the product', () => {
    expect(checkOptions(sampleSchema, {})).toMatchObject({ count: 16, guidanceScale: 2.5, seed: 0 });
    expect(checkOptions(trainerSchema, { types: ['crack'] })).toMatchObject({
      ...{ rank: 32, partFill: 'grey', trainImages: 'all', maxGradNorm: 1 },
    });
  });

  it('leave open what depends on the base', () => {
    const open = ['steps', 'scheduler', 'startFromLatentMean', 'resolution'];
    const checked = checkOptions(sampleSchema, {});
    expect(open.filter((name) => name in checked)).toEqual([]);
  });

  it('name the values of the embedded model that its file sets', () => {
    const defaults = JSON.parse(readFileSync(join(embedded.base, 'dualanodiff.json'), 'utf8'));
    expect(defaults).toMatchObject(embeddedModel);
  });

  it.each([
    [trainerSchema, { types: ['crack'], trainImages: 'some' }, 'Expected all, N, a/b or a/b@k for trainImages'],
    [sampleSchema, { preset: 'slow' }, 'Expected one of fast for preset but received "slow"'],
    [sampleSchema, { count: 1_000_001 }, 'Expected an integer 1..1000000 for count but received 1000001'],
    [sampleSchema, { count: 0 }, 'Expected an integer 1..1000000 for count but received 0 of type number'],
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
      { types: ['crack'], learningRate: 0 },
      'Expected a number above 0 and up to 1 for learningRate but received 0',
    ],
    [trainerSchema, { types: ['crack'], rank: 0 }, 'Expected an integer 1..320 for rank but received 0'],
    [trainerSchema, { types: ['crack'], trainImages: '3/0' }, 'Expected all, N, a/b or a/b@k for trainImages'],
    [trainerSchema, { types: ['crack'], trainImages: '1/3@0' }, 'Expected all, N, a/b or a/b@k for trainImages'],
    [trainerSchema, { types: ['crack'], guidance: 2 }, 'Unknown option guidance'],
    [trainerSchema, {}, 'for types but received nothing'],
    [trainerSchema, { types: ['../crack'] }, 'for types.0 but received'],
    [trainerSchema, { types: ['crack'], window: 4 }, 'Expected an integer 8..16384 for window'],
    [trainerSchema, { types: ['crack'], window: 'large' }, 'Expected auto, off or an integer 8..16384 for window'],
    [sampleSchema, 'all', 'Expected an object for options but received "all"'],
    [sampleSchema, { guidanceInterval: [1, 0] }, 'for guidanceInterval but received [ 1, 0 ]'],
  ])('that are wrong are refused with what was expected and received: case %#', (schema, input, message) => {
    expect(() => checkOptions(schema, input)).toThrow(message);
  });

  it('are shown by their beginning in an error where the value is long', () => {
    const check = () => checkOptions(sampleSchema, { count: 1, scheduler: 'x'.repeat(10_000) });
    expect(check).toThrow(/^Expected one of .{0,80} for scheduler but received "x{199}… of type string$/);
  });
});

describe('what crosses to the engine', () => {
  const image = { data: new Uint8Array(12), width: 2, height: 2, channels: 3 } as const;
  const shared = new SharedArrayBuffer(48);

  it.each([
    null,
    {},
    { ...image, data: new Float32Array(12) },
    { ...image, data: new Array(12).fill(0) },
    { ...image, data: new Array(4).fill(0), channels: 1 },
    { ...image, data: new Uint8Array(shared, 0, 12) },
    { ...image, width: 1.5, data: new Uint8Array(9) },
    { ...image, width: 2n },
    { ...image, width: '2' },
    { ...image, width: Number.NaN },
    { ...image, channels: 4 },
  ])('is an image of bytes (%#)', (value) => {
    expect(() => toRgb(value as never)).toThrow(InvalidOptionError);
    expect(toRgb(image)).toBe(image);
  });

  it.each([
    [new Float32Array(4), [Symbol('x')]],
    [new Float32Array(1), new Array(2)],
    [new Float32Array(shared), [12]],
    [new Float64Array(4), [4]],
    [new Float32Array(4), [4n]],
  ])('is a tensor of floats (%#)', (data, shape) => {
    expect(() => checkTensor({ data, shape } as never, 'latents')).toThrow(InvalidOptionError);
  });

  it.each(['a crack', [], [1], [['a']], undefined])('is a list of texts (%#)', (prompts) => {
    expect(() => checkPrompts(prompts as never)).toThrow(InvalidOptionError);
    expect(() => checkPrompts(['a crack'])).not.toThrow();
  });
});

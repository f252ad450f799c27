import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../lib/core/errors.js';
import type { AdapterInfo } from '../../lib/model/adapter-info.js';
import type { BaseModel } from '../../lib/model/base-model.js';
import { resolvePlacing } from '../../lib/model/place/settings.js';
import { requireExamples } from '../../lib/model/placer.js';
import { checkOptions } from '../../lib/options/check.js';
import type { PlaceSettings } from '../../lib/options/generated.js';
import { placeSchema } from '../../lib/options/place.js';
import { stableDiffusion } from '../../lib/options/stable-diffusion.js';
import { example } from '../helpers/placing.js';

const model = { defaults: stableDiffusion } as unknown as BaseModel;
const prompts = (name: string) => ({ global: `a vfx with ${name}`, anomaly: name });
const info = (more: Partial<AdapterInfo> = {}): AdapterInfo =>
  ({
    ...{ types: ['crack', 'hole'], prompts: [prompts('crack'), prompts('hole')], window: 64, resolution: 32 },
    ...{ examples: [{ type: 1, region: 5, x: 0.25, y: 0.5 }], background: 'off', backgroundScaled: true, ...more },
  }) as AdapterInfo;
const stored = [example([0, 0, 4, 4], 2, 0), example([0, 0, 4, 4], 5, 1), example([0, 0, 4, 4], 6, 1)];

function resolve(options: PlaceSettings, more: Partial<AdapterInfo> = {}, examples = stored) {
  const { where, whereNot: _, count: __, ...checked } = checkOptions(placeSchema, options);
  return resolvePlacing(checked, model, info(more), examples, where === 'auto');
}
const refuses = (options: PlaceSettings, text: string, more: Partial<AdapterInfo> = {}, examples = stored) => {
  const resolving = () => resolve(options, more, examples);
  expect(resolving).toThrow(InvalidOptionError);
  expect(resolving).toThrow(text);
};

describe('the settings of placing', () => {
  it('take prompts, training defects and their centres of the type, and the scale, from the adapter', () => {
    const resolved = resolve({ type: 'hole', steps: 12, seed: 3, batchSize: 2 });
    expect(resolved).toMatchObject({ type: 'hole', typeIndex: 1, window: 64, batchSize: 2 });
    expect(resolved.examples).toEqual(stored.slice(1));
    expect([...resolved.centres]).toEqual([[stored[1], expect.objectContaining({ x: 0.25, y: 0.5 })]]);
    expect(resolved.native).toMatchObject({
      ...{ globalPrompt: 'a vfx with hole', anomalyPrompt: 'hole', width: 32, height: 32, steps: 12, seed: 3 },
      ...{ strength: 0.75, guidanceScale: 2.5, scheduler: 'pndm', attention: false },
    });
  });

  it('need the name of one of several types, and know it of one type', () => {
    refuses({}, 'Expected one of crack, hole for type but received nothing');
    refuses({ type: 'dent' }, 'Expected one of crack, hole for type but received "dent"');
    const withGood = { types: ['good', 'hole'], prompts: [prompts('good'), prompts('hole')] };
    expect(resolve({}, withGood)).toMatchObject({ type: 'hole', native: { anomalyPrompt: 'hole' } });
    refuses({ type: 'crack' }, 'Expected one of hole for type but received "crack"', withGood);
    const published = { types: [], prompts: [prompts('sks')] };
    expect(resolve({ type: 'dent' }, published).type).toBe('dent');
    expect(resolve({}, published).type).toBe('anomaly');
  });

  it('need a window for an adapter without a scale, and refuse one for the others', () => {
    const type = 'crack';
    refuses({ type }, 'does not store the scale of its training: give window', { window: undefined as never });
    expect(resolve({ type, window: 96 }, { window: undefined as never }).window).toBe(96);
    refuses({ type, window: 96 }, 'trained on windows of 64 pixels: leave out window, which is 96');
    refuses({ type, window: 96 }, 'trained on whole photographs', { window: 'off' });
    expect(resolve({ type, window: 64 }).window).toBe(64);
  });

  it('need training defects for automatic places and for a strength below 1', () => {
    const type = 'crack';
    refuses({ type }, 'stores no training defects, which places of auto are made of: give where', {}, []);
    refuses({ type, where: '1,2,3,4', strength: 0.5 }, 'expected 1 for strength but received 0.5', {}, []);
    expect(resolve({ type, where: '1,2,3,4' }, {}, []).native.strength).toBe(1);
    expect(resolve({ type, strength: 1 }).native.strength).toBe(1);
    refuses({ type, steps: 4, strength: 0.2 }, 'Expected at least 0.25 for strength with 4 steps but received 0.2');
    expect(resolve({ type, steps: 4, strength: 0.25 }).native.strength).toBe(0.25);
  });

  it('take whole defects for automatic places if a third of them is whole', () => {
    const whole = example([10, 10, 4, 4], 1);
    const cut = [example([0, 9, 4, 4], 2), example([30, 20, 2, 9], 3), example([9, 28, 4, 4], 4)];
    const examplesFor = (where: string, stored: typeof cut) => resolve({ type: 'crack', where }, {}, stored).examples;
    expect(examplesFor('auto', [whole, ...cut.slice(1)])).toEqual([whole]);
    expect(examplesFor('auto', [whole, ...cut])).toEqual([whole, ...cut]);
    expect(examplesFor('auto', cut)).toEqual(cut);
    expect(examplesFor('1,2,3,4', [whole, ...cut.slice(1)])).toEqual([whole, ...cut.slice(1)]);
  });

  it('refuse several places in a region, and values out of range', () => {
    refuses({ type: 'crack', where: '1,2,3,4', perPhotograph: 2 }, 'Expected 1 for perPhotograph with where');
    for (const strength of [0, 1.01, Number.NaN]) refuses({ strength }, 'a number above 0 and up to 1 for strength');
    refuses({ where: '' }, 'for where');
    refuses({ window: 4 }, 'an integer 8..16384 for window');
    refuses({ mask: 'u2net' } as PlaceSettings, 'Unknown option mask');
  });

  it('refuse training defects that do not fit the settings of their file', () => {
    const adapter = { source: 'crack.safetensors', info: info({ types: ['crack'], resolution: 64 }) };
    const check = (size: number, type: number) => () => requireExamples(adapter, [{ region: 3, size, type }]);
    expect(check(64, 0)).not.toThrow();
    expect(check(1, 0)).toThrow('crack.safetensors: example 3 has 1 pixels a side, but the resolution is 64');
    expect(check(64, 1)).toThrow('crack.safetensors: example 3 has type 1, but there are 1 types');
  });
});

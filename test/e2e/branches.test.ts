import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Dataset, DualAnoDiff, embedded, Sampler, Trainer, type TrainerOptions } from '../../lib/index.js';
import { begin, predict, textEncode } from '../../lib/tensors.js';
import { readTensor } from '../helpers/safetensors.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const settings = { types: ['stain'], resolution: 32, rank: 2, batchSize: 2 } as const;

/** An adapter of a few steps, in a file. */
async function trained(model: DualAnoDiff, name: string, more: Partial<TrainerOptions>): Promise<string> {
  const file = join(folder, `${name}.safetensors`);
  await using trainer = new Trainer(model, { ...settings, ...more });
  for await (const _ of trainer.train(await Dataset.open(embedded.example), { steps: 3 }));
  await trainer.save(file);
  return file;
}
/** The largest value of the tensors of that name, all of them together. */
const largest = (file: string, name: RegExp): number =>
  Math.max(...[...readTensor(file, name)].map((values) => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0)));
const SAIM_OUTPUT = /saim\.o\./;
/** A fresh adapter leaves these tensors at zero until it is trained. */
const upOf = (branch: number) => new RegExp(`unet.*_lora\\.${branch}\\.up`);

describe('branches', () => {
  it('branches learn jointly, separately, or the whole image alone, as the option says', async () => {
    await using model = await DualAnoDiff.load(embedded.base);
    const fresh = { initialAdapter: 'none' };
    const joint = await trained(model, 'joint', fresh);
    const separate = await trained(model, 'separate', { ...fresh, branches: 'separate' });
    const one = await trained(model, 'one', { ...fresh, branches: 'one' });
    expect(largest(joint, SAIM_OUTPUT)).toBeGreaterThan(0);
    for (const file of [separate, one]) expect(largest(file, SAIM_OUTPUT)).toBe(0);
    for (const file of [joint, separate]) expect(largest(file, upOf(1))).toBeGreaterThan(0);
    expect(largest(one, upOf(0))).toBeGreaterThan(0);
    expect(largest(one, upOf(1))).toBe(0);
  });

  it('separate branches do not see each other, and joint ones do', async () => {
    await using model = await DualAnoDiff.load(embedded.base);
    /** Returns how far the anomaly branch's prediction moves when the global branch is given another picture. */
    const influence = async (name: string, branches: 'joint' | 'separate') => {
      await using sampler = await Sampler.create(model, await trained(model, name, { branches }));
      const textStates = await textEncode(sampler, ['metal with a stain', 'stain']);
      const noise = (salt: number) => Float32Array.from({ length: 4 * 64 }, (_, i) => Math.sin(salt + 12.9 * i));
      const anomalyOf = async (global: Float32Array) => {
        const data = new Float32Array([...global, ...noise(2)]);
        const latents = { data, shape: [2, 4, 8, 8] };
        return (await predict(sampler, { latents, timesteps: [500, 500], textStates })).data.slice(4 * 64);
      };
      const [one, other] = [await anomalyOf(noise(0)), await anomalyOf(noise(1))];
      return one.reduce((most, value, i) => Math.max(most, Math.abs(value - (other[i] as number))), 0);
    };
    expect(await influence('seen', 'joint')).toBeGreaterThan(1e-3);
    expect(await influence('unseen', 'separate')).toBeLessThan(1e-5);
  });

  it('an adapter of one branch gives no parts: each is a copy of its image', async () => {
    await using model = await DualAnoDiff.load(embedded.base);
    await using sampler = await Sampler.create(model, await trained(model, 'alone', { branches: 'one' }));
    await using batch = await begin(sampler, { indices: [0, 1], steps: 4, scheduler: 'ddim' });
    while (!batch.done) await batch.step();
    for (const { image, part } of await batch.decode()) {
      expect(new Set(image.data).size).toBeGreaterThan(8);
      expect(part.data).toEqual(image.data);
    }
  });

  it('the branches that are learned decide whether a checkpoint fits', async () => {
    await using model = await DualAnoDiff.load(embedded.base);
    const out = join(folder, 'resumed.safetensors');
    const train = async (branches: NonNullable<TrainerOptions['branches']>, steps: number) => {
      await using trainer = new Trainer(model, { ...settings, branches });
      for await (const _ of trainer.train(await Dataset.open(embedded.example), { steps, out, resume: true }));
    };
    await train('separate', 2);
    await expect(train('joint', 3)).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_MISMATCH',
      message: expect.stringContaining('branches was separate, is now joint'),
    });
    await train('separate', 3);
    expect(() => new Trainer(model, { ...settings, branches: 'three' as 'one' })).toThrow(
      'Expected one of joint, separate, one for branches',
    );
  });
});

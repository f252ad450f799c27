import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dataset, DualAnoDiff, embedded, type Pair, type RawImage, Sampler, Trainer } from '../../lib/index.js';
import { generate } from '../../lib/jobs/index.js';
import { begin, decode, encode, predict, type Tensor, textEncode } from '../../lib/tensors.js';
import { cli, flagsOf } from '../helpers/cli.js';
import { expectFailure } from '../helpers/failures.js';
import { readTensor } from '../helpers/safetensors.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const adapter = join(folder, 'adapter.safetensors');
const data = join(import.meta.dirname, '..', 'data');
const taesd = join(data, 'taesd.safetensors');
let model: DualAnoDiff;

beforeAll(async () => {
  model = await DualAnoDiff.load(embedded.base, { taesd });
  await using trainer = new Trainer(model, { types: ['stain'], resolution: 32, rank: 2, batchSize: 2 });
  for await (const _ of trainer.train(await Dataset.open(embedded.example), { steps: 3 }));
  const preview = await trainer.preview({ steps: 2 }); // decoded by TAESD, which has random weights here
  expect(preview.image.width).toBe(32);
  await trainer.save(adapter);
});
afterAll(() => model.dispose());

const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] as number))));
};

describe('the model', () => {
  it('an image that is encoded and decoded again is nearly the same', async () => {
    const dataset = await Dataset.open(embedded.example);
    const [example] = await Dataset.load((await dataset.examples('stain')).slice(0, 1), 64, 'crop');
    const image = example?.pixels as RawImage;
    const latents = await encode(model, image);
    expect(latents.shape).toEqual([1, 4, 16, 16]);
    const again = await decode(model, latents);
    expect([again.width, again.height, again.channels]).toEqual([64, 64, 3]);
    const error = image.data.reduce((sum, value, i) => sum + Math.abs(value - (again.data[i] as number)), 0);
    expect(error / image.data.length).toBeLessThan(12);
    await expect(
      encode(model, { data: new Uint8Array(30 * 30 * 3), width: 30, height: 30, channels: 3 }),
    ).rejects.toThrow('Expected a multiple of');
    await expect(decode(model, { data: new Float32Array(5), shape: [1, 4, 2, 2] })).rejects.toThrow('for latents');
    await expect(decode(model, { data: new Float32Array(12), shape: [1, 3, 2, 2] })).rejects.toThrow('(1, 4, h, w)');
  });

  it('TAESD decodes latents as diffusers does', async () => {
    const golden = join(data, 'taesd-golden.safetensors');
    const [latents] = readTensor(golden, /^latents$/);
    const [image] = readTensor(golden, /^image$/); // (1, 3, 24, 20) in [-1, 1]
    const decoded = await decode(model, { data: latents as Float32Array, shape: [1, 4, 6, 5] }, { decoder: 'taesd' });
    expect([decoded.width, decoded.height]).toEqual([20, 24]);
    const levels = decoded.data.map((_, i) => {
      const value = (image as Float32Array)[(i % 3) * 480 + Math.floor(i / 3)] as number;
      return Math.round(Math.min(255, Math.max(0, (value + 1) * 127.5)));
    });
    expect(farthest(decoded.data, levels)).toBeLessThanOrEqual(1);
  });

  it('a sampler encodes prompts with the LoRA of its adapter, and a model without', async () => {
    const plain = await textEncode(model, ['a vfx with sks', 'sks']);
    expect(plain.shape.slice(0, 2)).toEqual([2, 77]);
    await using sampler = await Sampler.create(model, adapter);
    expect(farthest((await textEncode(sampler, ['a vfx with sks', 'sks'])).data, plain.data)).toBeGreaterThan(0);
  });

  it('a TAESD that is missing or does not fit is an error that says so', async () => {
    await using other = await DualAnoDiff.load(embedded.base);
    const latents = { data: new Float32Array(4), shape: [1, 4, 1, 1] };
    await expect(decode(other, latents, { decoder: 'vqgan' as 'vae' })).rejects.toThrow('Expected vae or taesd');
    await expect(decode(other, latents, { decoder: 'taesd' })).rejects.toThrow('the model was loaded without one');
    await using sampler = await Sampler.create(other, adapter);
    await expect(sampler.sample({ count: 1, steps: 1, decoder: 'taesd' }).next()).rejects.toThrow('without a TAESD');
    await expect(DualAnoDiff.load(embedded.base, { taesd: embedded.maskModel })).rejects.toMatchObject({
      code: 'ERR_WEIGHTS_INVALID',
    });
  });
});

describe('a batch', () => {
  const options = { steps: 4, seed: 9, scheduler: 'pndm', guidanceScale: 2.5 } as const;

  it('a batch gives, step by step, the pairs that sampling gives at once', async () => {
    await using sampler = await Sampler.create(model, adapter);
    const whole: Pair[] = [];
    for await (const pair of sampler.sample({ ...options, count: 2 })) whole.push(pair);
    await using batch = await begin(sampler, { ...options, indices: [0, 1] });
    expect(batch.timesteps.length).toBe(5); // PNDM calls once more than it has steps
    expect(batch.latents.shape).toEqual([4, 4, 8, 8]);
    const seen: Tensor[] = [];
    while (!batch.done) seen.push(await batch.step());
    expect(seen.length).toBe(5);
    expect(await batch.decode()).toEqual(whole);
    await expect(batch.step()).rejects.toMatchObject({ code: 'ERR_BATCH_DONE' });
  });

  it('a batch goes on from latents that its user changed', async () => {
    await using sampler = await Sampler.create(model, adapter);
    const finish = async (change: (latents: Tensor) => Tensor) => {
      await using batch = await begin(sampler, { ...options, scheduler: 'ddim', indices: [3] });
      while (!batch.done) await batch.step(change(batch.latents));
      return (await batch.decode())[0]?.image.data as Uint8Array;
    };
    const plain = await finish((latents) => latents);
    expect(await finish((latents) => latents)).toEqual(plain);
    expect(await finish(({ data, shape }) => ({ data: data.map((value) => 0.5 * value), shape }))).not.toEqual(plain);
    await using batch = await begin(sampler, { ...options, indices: [0] });
    const wrong = { data: new Float32Array(4), shape: [1, 4, 1, 1] };
    await expect(batch.step(wrong)).rejects.toThrow('Expected latents of shape');
    await batch.dispose();
    await expect(batch.step()).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  });

  it('a step of a batch is one call of the UNet and one step of the scheduler', async () => {
    await using sampler = await Sampler.create(model, adapter);
    const [{ global, anomaly }] = sampler.adapter.prompts as [{ global: string; anomaly: string }];
    await using batch = await begin(sampler, { ...options, scheduler: 'ddim', guidanceScale: 1, indices: [0] });
    const before = batch.latents;
    const t = batch.timesteps[0] as number;
    const noise = await predict(sampler, {
      latents: before,
      timesteps: [t, t],
      textStates: await textEncode(sampler, [global, anomaly]),
    });
    expect(noise.shape).toEqual(before.shape);
    // DDIM (arXiv 2010.02502, equation 12) moves along the predicted noise: after - before is a mix of the two.
    const after = await batch.step();
    const [a, b] = [0, 1].map((i) => [before.data[i], noise.data[i], after.data[i]] as number[]) as [
      number[],
      number[],
    ];
    const det = (a[0] as number) * (b[1] as number) - (b[0] as number) * (a[1] as number);
    const x = ((a[2] as number) * (b[1] as number) - (b[2] as number) * (a[1] as number)) / det;
    const y = ((a[0] as number) * (b[2] as number) - (b[0] as number) * (a[2] as number)) / det;
    const mixed = before.data.map((value, i) => x * value + y * (noise.data[i] as number));
    expect(farthest(mixed, after.data)).toBeLessThan(1e-3);
    await expect(
      predict(sampler, { latents: before, timesteps: [t], textStates: { data: new Float32Array(2), shape: [2] } }),
    ).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
    const states = await textEncode(sampler, [global, anomaly]);
    const width = states.shape[2] as number;
    const brief = { data: states.data.slice(0, 2 * 20 * width), shape: [2, 20, width] };
    await expect(predict(sampler, { latents: before, timesteps: [t, t], textStates: brief })).rejects.toThrow(
      `text states (2 N, 77, ${width})`,
    );
  });
});

it('sample decodes by TAESD where it is asked to', async () => {
  const out = join(folder, 'fast');
  const options = { adapter, count: 1, steps: 1, decoder: 'taesd' } as const;
  const flags = flagsOf({ ...options, out, taesd, mask: 'none', json: true });
  expect(await cli(['sample', ...flags])).toMatchObject({ code: 0, stderr: '' });
  const without = generate({ ...options, out: `${out}-2`, mask: [] });
  await expectFailure(without, 'ERR_INVALID_OPTION', 'the model was loaded without a TAESD decoder');
});

import { copyFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NonFiniteError } from '../../lib/errors.js';
import { DualAnoDiff, embedded, Masker, type PairData, Sampler } from '../../lib/index.js';
import { generate, mask } from '../../lib/jobs/index.js';
import { begin, decode, encode, predict, textEncode } from '../../lib/tensors.js';
import { caseFolder, crackAdapter, trainCase } from '../helpers/cases.js';
import { expectFailure, warningsOf } from '../helpers/failures.js';
import { baseUnder, forgetBase, setNaN } from '../helpers/nan-weights.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const adapter = forgetBase(await crackAdapter());
const CASE = '42-nan-weights';
const UNET = join('unet', 'diffusion_pytorch_model.safetensors');
const VAE = join('vae', 'diffusion_pytorch_model.safetensors');

const pictures = (out: string): string[] =>
  existsSync(out) ? (readdirSync(out, { recursive: true }) as string[]).filter((name) => name.endsWith('.png')) : [];

/** A base whose named tensors begin with NaN. */
function brokenBase(name: string, ...tensors: [file: string, tensor: string][]): string {
  const base = baseUnder(join(folder, name));
  for (const [file, tensor] of tensors) setNaN(join(base, file), tensor);
  return base;
}
const unet = brokenBase('unet', [UNET, 'mid_block.resnets.0.conv1.bias']);

describe('42-nan-weights: numbers that are not finite are an error, and no picture', () => {
  const out = join(folder, 'pairs');
  const sample = (base: string) => generate({ adapter, base, out, count: 1, steps: 2, device: 'cpu' });

  it('numbers of the decoder that are not finite end a job without a picture', async () => {
    const base = baseUnder(join(folder, 'decoder'), join(caseFolder(CASE), 'base'));
    await expectFailure(sample(base), 'ERR_NON_FINITE', "The VAE's decoder gives numbers that are not finite");
    expect(pictures(out)).toEqual([]);
  });

  it('numbers of a denoising step that are not finite end a job without a picture', async () => {
    await expectFailure(sample(unet), 'ERR_NON_FINITE', 'Denoising step 1 of', 'gives numbers that are not finite');
    expect(pictures(out)).toEqual([]);
  });

  it('every part of the base and of the adapter is named when its numbers are not finite', async () => {
    const says = (start: string) => ({ code: 'ERR_NON_FINITE', message: expect.stringMatching(`^${start} gives`) });
    const grey = { data: new Uint8Array(64 * 64 * 3).fill(90), width: 64, height: 64, channels: 3 } as const;
    const zeros = (...shape: number[]) => ({ data: new Float32Array(shape.reduce((a, b) => a * b)), shape });
    const broken = brokenBase(
      'broken',
      [join('text_encoder', 'model.safetensors'), 'text_model.final_layer_norm.bias'],
      [VAE, 'encoder.conv_in.bias'],
      [VAE, 'decoder.conv_out.bias'],
    );
    {
      await using model = await DualAnoDiff.load(broken, { device: 'cpu' });
      await using sampler = await Sampler.create(model, adapter);
      await expect(textEncode(model, ['a crack'])).rejects.toMatchObject(says('The text encoder'));
      await expect(textEncode(sampler, ['a crack'])).rejects.toBeInstanceOf(NonFiniteError);
      await expect(encode(model, grey)).rejects.toMatchObject(says("The VAE's encoder"));
      await expect(decode(model, zeros(1, 4, 8, 8))).rejects.toMatchObject(says("The VAE's decoder"));
      await expect(begin(sampler, { indices: [0], steps: 2 })).rejects.toMatchObject(says('The text encoder'));
      await expect(sampler.sample({ count: 1, steps: 2 }).next()).rejects.toMatchObject(says('The text encoder'));
    }
    {
      await using model = await DualAnoDiff.load(unet, { device: 'cpu' });
      await using sampler = await Sampler.create(model, adapter);
      await using batch = await begin(sampler, { indices: [0], steps: 2 });
      await expect(batch.step()).rejects.toMatchObject(says('Denoising step 1 of \\d+'));
      const textStates = await textEncode(sampler, ['a crack', 'crack']);
      const rows = { latents: zeros(2, 4, 8, 8), timesteps: [1, 1], textStates };
      await expect(predict(sampler, rows)).rejects.toMatchObject(says('The UNet'));
    }
    await using model = await DualAnoDiff.load(embedded.base, { device: 'cpu' });
    const nan = join(folder, 'nan.safetensors');
    copyFileSync(adapter, nan);
    setNaN(nan, 'unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_v_lora.0.up.weight');
    const drawn = async () => {
      await using sampler = await Sampler.create(model, nan);
      for await (const _ of sampler.sample({ count: 1, steps: 2 }));
    };
    await expect(drawn()).rejects.toThrow(/not finite|NaN/); // at the latest in the first step
    await using sampler = await Sampler.create(model, adapter);
    await using batch = await begin(sampler, { indices: [0], steps: 2 });
    const wrong = { ...batch.latents, data: batch.latents.data.map(() => Number.NaN) };
    await expect(batch.step(wrong)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
  });

  it('training names the encoder, or the base where the learning rate is not to blame, and writes no adapter', async () => {
    const out = join(folder, 'trained.safetensors');
    const train = (base: string) => trainCase(CASE, { data: '../tile', base, out });
    const encoder = brokenBase('encoder', [VAE, 'encoder.conv_in.bias']);
    await expectFailure(train(encoder), 'ERR_NON_FINITE', "The VAE's encoder gives");
    await expectFailure(train(unet), 'ERR_NON_FINITE_LOSS', 'The loss of step 1', 'weights of the base');
    expect(existsSync(out)).toBe(false);
  });

  it('a mask model is named when its numbers are not finite, and no mask is written', async () => {
    const [maskWeights, out] = [join(folder, 'u2net.safetensors'), join(folder, 'masks')];
    copyFileSync(embedded.maskModel, maskWeights);
    setNaN(maskWeights, 'outconv.bias');
    const parts = join(caseFolder('01-bmp-8bit-grey'), 'parts_png');
    const work = mask({ parts, out, maskWeights });
    await expectFailure(work, 'ERR_NON_FINITE', `${maskWeights} gives numbers that are not finite`);
    expect(pictures(out)).toEqual([]);
  });
});

describe('45-blank-part: a part without contrast has an empty mask', () => {
  it.each(['u2net', 'threshold'] as const)('a part without contrast has an empty mask by %s', async (method) => {
    const parts = join(caseFolder('45-blank-part'), 'parts');
    const made = await mask({ parts, out: join(folder, `blank-${method}`), mask: method });
    expect(made).toMatchObject({ masks: 5, emptyMasks: 5 });
  });

  it('a part without contrast has an empty mask by attention, and no visible defect has one by any method', async () => {
    const [side, defect] = [64, 14 * 16];
    const part = (contrast: number) => {
      const data = new Uint8Array(side * side * 3).fill(127);
      for (let y = 20; y < 34; y++) data.fill(127 - contrast, 3 * (y * side + 24), 3 * (y * side + 40));
      return { data, width: side, height: side, channels: 3 } as const;
    };
    const map = new Uint8Array(side * side).map((_, i) => i % 256);
    const attention = { data: map, width: side, height: side, channels: 1 } as const;
    const pair = (contrast: number): PairData => ({
      index: 0,
      seed: 0,
      image: part(0),
      part: part(contrast),
      attention,
    });
    await using u2net = await Masker.load(undefined, { device: 'cpu' });
    const found = (await u2net.mask(part(40))).coverage * side * side;
    expect(Math.abs(found - defect)).toBeLessThan(0.2 * defect);
    expect((await Masker.threshold().mask(part(40))).coverage * side * side).toBe(defect);
    expect((await Masker.attention().maskPair(pair(40))).coverage).toBe(0.5);
    expect((await Masker.attention().maskPair(pair(6))).coverage).toBe(0.5);
    expect((await Masker.attention().maskPair(pair(0))).coverage).toBe(0);
    expect((await Masker.attention().mask({ ...attention, data: map.map(() => 255) })).coverage).toBe(0);
  });
});

describe('60-long-prompt: words that are left out are named', () => {
  const scratches = 'scratch '.repeat(100);

  it('training warns of each prompt that is too long, and of none that fits', async () => {
    const warningsWith = (prompts: { globalPrompt: string; anomalyPrompt?: string }) =>
      warningsOf(() => trainCase(CASE, { data: '../tile', ...prompts }));
    const long = { globalPrompt: `${scratches}and something else`, anomalyPrompt: `${scratches}too` };
    expect(await warningsWith(long)).toEqual([
      expect.stringMatching(/^The global prompt has more than 75 tokens.*"scratch .*and something else"$/),
      expect.stringMatching(/^The anomaly prompt has more than 75 tokens.*"scratch .*too"$/),
    ]);
    expect(await warningsWith({ globalPrompt: 'a scratch '.repeat(15) })).toEqual([]);
  });

  it('sampling and the encoder of texts warn of each prompt that is too long, once', async () => {
    await using model = await DualAnoDiff.load(embedded.base, { device: 'cpu' });
    await using sampler = await Sampler.create(model, adapter);
    const warnings = await warningsOf(async () => {
      for (let i = 0; i < 2; i++)
        for await (const _ of sampler.sample({ count: 1, steps: 1, negativePrompt: `${scratches}end` }));
      await textEncode(model, ['short', `${scratches}one`]);
      await textEncode(sampler, [`${scratches}two`]);
    });
    expect(warnings).toEqual([
      expect.stringMatching(/^The negative prompt .*end"$/),
      expect.stringMatching(/^The prompt "scratch .*one"$/),
      expect.stringMatching(/^The prompt "scratch .*two"$/),
    ]);
  });
});

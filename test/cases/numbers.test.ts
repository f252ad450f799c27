import { copyFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NonFiniteError } from '../../lib/errors.js';
import { DualAnoDiff, embedded, Masker, type Pair, Sampler } from '../../lib/index.js';
import { caseFolder, casesFolder, inCase, trainInCase } from '../helpers/cases.js';
import { baseUnder, setNaN } from '../helpers/nan-weights.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const adapter = join(casesFolder, 'adapter.safetensors');
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
  const sample = (base: string, out: string) => {
    const job = ['--count', '1', '--steps', '2', '--mask', 'threshold', '--device', 'cpu', '--out', out];
    return inCase(CASE, ['sample', '--adapter', adapter, '--base', base, ...job]);
  };

  it('of the decoder, and of a denoising step', async () => {
    const out = join(folder, 'pairs');
    const decoder = baseUnder(join(folder, 'decoder'), join(caseFolder(CASE), 'base'));
    const first = await sample(decoder, out);
    expect(first.stderr).toMatch(/^error: The VAE's decoder gives numbers that are not finite.*\(ERR_NON_FINITE\)$/m);
    const second = await sample(unet, out);
    expect(second.stderr).toMatch(/^error: Denoising step 1 of 3 gives numbers that are .*\(ERR_NON_FINITE\)$/m);
    expect([first.code, second.code]).toEqual([1, 1]);
    expect(pictures(out)).toEqual([]);
  });

  it('of every other part of the base and of the adapter, through the API', async () => {
    const says = (start: string) => ({ code: 'ERR_NON_FINITE', message: expect.stringMatching(`^${start} gives`) });
    const grey = { data: new Uint8Array(64 * 64 * 3).fill(90), width: 64, height: 64, channels: 3 };
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
      await expect(model.textEncode(['a crack'])).rejects.toMatchObject(says('The text encoder'));
      await expect(sampler.textEncode(['a crack'])).rejects.toBeInstanceOf(NonFiniteError);
      await expect(model.encode(grey)).rejects.toMatchObject(says("The VAE's encoder"));
      await expect(model.decode(zeros(1, 4, 8, 8))).rejects.toMatchObject(says("The VAE's decoder"));
      await expect(sampler.begin({ indices: [0], steps: 2 })).rejects.toMatchObject(says('The text encoder'));
      await expect(sampler.sample({ count: 1, steps: 2 }).next()).rejects.toMatchObject(says('The text encoder'));
    }
    {
      await using model = await DualAnoDiff.load(unet, { device: 'cpu' });
      await using sampler = await Sampler.create(model, adapter);
      await using batch = await sampler.begin({ indices: [0], steps: 2 });
      await expect(batch.step()).rejects.toMatchObject(says('Denoising step 1 of 3'));
      const textStates = await sampler.textEncode(['a crack', 'crack']);
      const rows = { latents: zeros(2, 4, 8, 8), timesteps: [1, 1], textStates };
      await expect(sampler.predict(rows)).rejects.toMatchObject(says('The UNet'));
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
    await using batch = await sampler.begin({ indices: [0], steps: 2 });
    const wrong = { ...batch.latents, data: batch.latents.data.map(() => Number.NaN) };
    await expect(batch.step(wrong)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
  });

  it('in training: of the encoder, and a loss whose cause is not the learning rate', async () => {
    const out = join(folder, 'trained.safetensors');
    const train = (base: string) => trainInCase(CASE, out, '--data', '../tile', '--base', base);
    const first = await train(brokenBase('encoder', [VAE, 'encoder.conv_in.bias']));
    expect(first.stderr).toMatch(/^error: The VAE's encoder gives .*\(ERR_NON_FINITE\)$/m);
    const second = await train(unet);
    expect(second.stderr).toMatch(/^error: The loss of step 1 .*weights of the base.*\(ERR_NON_FINITE_LOSS\)$/m);
    expect([first.code, second.code]).toEqual([1, 1]);
    expect(existsSync(out)).toBe(false);
  });

  it('of a mask model', async () => {
    const [weights, out] = [join(folder, 'u2net.safetensors'), join(folder, 'masks')];
    copyFileSync(embedded.maskModel, weights);
    setNaN(weights, 'outconv.bias');
    const parts = join('..', '01-bmp-8bit-grey', 'parts_png');
    const { code, stderr } = await inCase(CASE, ['mask', '--parts', parts, '--out', out, '--weights', weights]);
    expect(stderr).toContain(`error: ${weights} gives numbers that are not finite`);
    expect(code).toBe(1);
    expect(pictures(out)).toEqual([]);
  });
});

describe('45-blank-part: a part without contrast has an empty mask', () => {
  it.each(['u2net', 'threshold'])('by %s', async (method) => {
    const flags = ['--parts', 'parts', '--out', join(folder, `blank-${method}`), '--method', method, '--json'];
    const { code, stdout } = await inCase('45-blank-part', ['mask', ...flags]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ masks: 5, emptyMasks: 5 });
  });

  it('by attention, and no mask of a visible defect is empty', async () => {
    const [side, defect] = [64, 14 * 16];
    const part = (contrast: number) => {
      const data = new Uint8Array(side * side * 3).fill(127);
      for (let y = 20; y < 34; y++) data.fill(127 - contrast, 3 * (y * side + 24), 3 * (y * side + 40));
      return { data, width: side, height: side, channels: 3 };
    };
    const map = new Uint8Array(side * side).map((_, i) => i % 256);
    const attention = { data: map, width: side, height: side, channels: 1 };
    const pair = (contrast: number): Pair => ({ index: 0, seed: 0, image: part(0), part: part(contrast), attention });
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

  it('in training', async () => {
    const warnings = async (...prompts: string[]) => {
      const out = join(folder, `${prompts.length}.safetensors`);
      const { code, stderr } = await trainInCase(CASE, out, '--data', '../tile', ...prompts);
      expect(code).toBe(0);
      return stderr.split('\n').filter((line) => /warning/i.test(line));
    };
    const long = ['--global-prompt', `${scratches}and something else`, '--anomaly-prompt', `${scratches}too`];
    expect(await warnings(...long)).toEqual([
      expect.stringMatching(/^warning: The global prompt has more than 75 tokens.*"scratch .*and something else"$/),
      expect.stringMatching(/^warning: The anomaly prompt has more than 75 tokens.*"scratch .*too"$/),
    ]);
    expect(await warnings('--global-prompt', 'a scratch '.repeat(15))).toEqual([]);
  });

  it('in sampling and through the API, each once', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    await using model = await DualAnoDiff.load(embedded.base, { device: 'cpu' });
    await using sampler = await Sampler.create(model, adapter);
    for (let i = 0; i < 2; i++)
      for await (const _ of sampler.sample({ count: 1, steps: 1, negativePrompt: `${scratches}end` }));
    await model.textEncode(['short', `${scratches}one`]);
    await sampler.textEncode([`${scratches}two`]);
    await new Promise(setImmediate);
    process.off('warning', listen);
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^The negative prompt .*end"$/),
      expect.stringMatching(/^The prompt "scratch .*one"$/),
      expect.stringMatching(/^The prompt "scratch .*two"$/),
    ]);
    expect(warnings[0]?.name).toBe('DualAnoDiffWarning');
  });
});

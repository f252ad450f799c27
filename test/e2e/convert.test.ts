import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  convertAdapter,
  convertCheckpoint,
  Dataset,
  DualAnoDiff,
  embedded,
  type Pair,
  Sampler,
  Trainer,
} from '../../lib/index.js';
import { cli } from '../helpers/cli.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const adapter = join(folder, 'adapter.safetensors');
let model: DualAnoDiff;

const train = async (file: string, options: object) => {
  await using trainer = new Trainer(model, { types: ['stain'], resolution: 32, rank: 2, batchSize: 2, ...options });
  for await (const _ of trainer.train(await Dataset.open(embedded.example), { steps: 2 }));
  await trainer.save(file);
};
beforeAll(async () => {
  model = await DualAnoDiff.load(embedded.base);
  await train(adapter, {});
});
afterAll(() => model.dispose());

const draw = async (file: string, base = model): Promise<Pair> => {
  await using sampler = await Sampler.create(base, file);
  // Published files do not say what they were trained with, and converted bases have no defaults of their own.
  const said = {
    resolution: 32,
    scheduler: 'pndm',
    startFromLatentMean: false,
    globalPrompt: 'a stain',
    anomalyPrompt: 'stain',
  } as const;
  return (await sampler.sample({ count: 1, steps: 3, ...said }).next()).value as Pair;
};
const farthest = (a: Pair, b: Pair) =>
  Math.max(...a.image.data.map((value, i) => Math.abs(value - (b.image.data[i] as number))));

describe('adapters', () => {
  it('adapters give the same pairs in the published format and in half precision', async () => {
    const expected = await draw(adapter);
    for (const [name, options, tolerance] of [
      ['published.bin', { format: 'published' }, 1],
      ['published.safetensors', { format: 'published' }, 1],
      ['half.safetensors', { dtype: 'float16' }, 8],
      ['brain.safetensors', { dtype: 'bfloat16' }, 32],
    ] as const) {
      const out = join(folder, name);
      const { notes } = await convertAdapter(adapter, out, options);
      expect(notes).toEqual([]);
      expect(farthest(await draw(out), expected)).toBeLessThanOrEqual(tolerance);
    }
    expect(statSync(join(folder, 'half.safetensors')).size).toBeLessThan(0.6 * statSync(adapter).size);
    // And back: the metadata is the own format's.
    await convertAdapter(join(folder, 'published.bin'), join(folder, 'back.safetensors'));
    expect(farthest(await draw(join(folder, 'back.safetensors')), expected)).toBeLessThanOrEqual(1);
  });

  it('convert refuses options of bases with adapters, and those of adapters with bases', async () => {
    const out = join(folder, 'refused');
    for (const [option, input, ...args] of [
      ['predictionType', adapter, '--prediction-type', 'epsilon'],
      ['baseConfig', adapter, '--base-config', embedded.base],
      ['saimRank', embedded.base, '--to', 'base', '--saim-rank', '4'],
    ] as const) {
      const { stderr, code } = await cli(['convert', '--input', input, '--out', out, ...args]);
      expect(stderr).toContain(`Expected no ${option} with `);
      expect(code).toBe(2);
    }
    expect(existsSync(out)).toBe(false);
  });

  it('an adapter with SAIM at a lower rank is smaller, and convert says how far it differs', async () => {
    const out = join(folder, 'compact.safetensors');
    const args = ['convert', '--input', adapter, '--out', out, '--saim-rank', '8', '--dtype', 'float16'];
    const { code, stdout } = await cli(args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/SAIM at rank 8 differs from the full one by [\d.]+ % \(scores\) and [\d.]+ % \(values\)/);
    expect(statSync(out).size).toBeLessThan(0.3 * statSync(adapter).size);
    expect(farthest(await draw(out), await draw(adapter))).toBeGreaterThan(0);
    await using sampler = await Sampler.create(model, out);
    expect(sampler.adapter).toMatchObject({ types: ['stain'], resolution: 32 });
  });

  it('an adapter with scaled backgrounds is converted with a note for the published scripts', async () => {
    const file = join(folder, 'background.safetensors');
    await train(file, { background: 'add', foregroundMasks: 'none' });
    const { notes } = await convertAdapter(file, join(folder, 'background.bin'), { format: 'published' });
    expect(notes.join()).toContain('do not scale them');
    await using sampler = await Sampler.create(model, join(folder, 'background.bin'));
    expect(sampler.adapter).toMatchObject({ background: 'interpolate', backgroundScaled: false });
  });

  it('a conversion overwrites nothing and refuses what the format cannot hold', async () => {
    await expect(convertAdapter(adapter, adapter)).rejects.toMatchObject({ code: 'ERR_FILE_ACCESS' });
    for (const [name, options, message] of [
      ['x.bin', {}, 'ends in .safetensors'],
      ['x.bin', { format: 'published', saimRank: 4 }, 'reduced rank'],
    ] as const) {
      await expect(convertAdapter(adapter, join(folder, name), options)).rejects.toThrow(message);
      expect(existsSync(join(folder, name))).toBe(false);
    }
    await expect(convertAdapter(embedded.maskModel, join(folder, 'x.safetensors'))).rejects.toThrow(
      'is not an adapter',
    );
  });
});

it('a full disk is an error that leaves nothing behind, and the process goes on', () => {
  const out = join(folder, 'full-disk');
  mkdirSync(out);
  const program = `
    import { convertAdapter, convertCheckpoint, embedded } from 'dualanodiff';
    const input = ${JSON.stringify(adapter)}, out = ${JSON.stringify(out)};
    for (const work of [
      () => convertAdapter(input, out + '/a.bin', { format: 'published' }),
      () => convertAdapter(input, out + '/a.safetensors'),
      () => convertCheckpoint(embedded.base, out + '/base'),
    ]) await work().then(() => console.log('written'), (error) => console.log(error.code, error.message));
  `;
  // No file may grow beyond 200 KB, which the system says as it says that a disk is full: by a failed write.
  const script = 'trap "" XFSZ; ulimit -f 200; exec "$@"';
  const command = [process.execPath, '--input-type=module', '-e', program];
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script, 'bash', ...command], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout.match(/^ERR_FILE_ACCESS Cannot write .*File too large/gm)).toHaveLength(3);
  expect(readdirSync(out)).toEqual([]);
});

describe('bases', () => {
  it('a base is converted to a diffusers folder that gives the same pairs, in half the bytes', async () => {
    const [full, half] = [join(folder, 'full'), join(folder, 'half')];
    await convertCheckpoint(embedded.base, full);
    await convertCheckpoint(embedded.base, half, { dtype: 'float16' });
    await using same = await DualAnoDiff.load(full);
    expect(same.info.fingerprint).toBe(model.info.fingerprint);
    await using inHalf = await DualAnoDiff.load(half);
    expect(inHalf.info.fingerprint).toBe(model.info.fingerprint);
    expect(farthest(await draw(adapter, same), await draw(adapter))).toBeLessThanOrEqual(1);
    await draw(adapter, inHalf); // trained on the full one
    const unet = (base: string) => statSync(join(base, 'unet', 'diffusion_pytorch_model.safetensors')).size;
    expect(unet(half)).toBeLessThan(0.6 * unet(full));
    await expect(convertCheckpoint(embedded.base, full)).rejects.toThrow('exists already');
  });

  it('a file that is no base is an error that says what it lacks, and nothing is left behind', async () => {
    const out = join(folder, 'nothing');
    const { code, stderr } = await cli(['convert', '--to', 'base', '--input', embedded.maskModel, '--out', out]);
    expect(code).toBe(1);
    expect(stderr).toContain('is not a Stable Diffusion 1.x or 2.x checkpoint: it has no UNet');
    expect(readdirSync(folder).filter((name) => name.startsWith('nothing'))).toEqual([]);
  });

  it('a base is loaded with the prediction type that the caller names, and never with an adapter as LoRA', async () => {
    const copy = join(folder, 'v');
    cpSync(embedded.base, copy, { recursive: true });
    await using changed = await DualAnoDiff.load(copy, { predictionType: 'v_prediction' });
    expect([model.info.predictionType, changed.info.predictionType]).toEqual(['epsilon', 'v_prediction']);
    await expect(DualAnoDiff.load(copy, { lora: [{ file: adapter }] })).rejects.toMatchObject({
      code: 'ERR_WEIGHTS_INVALID',
    });
  });
});

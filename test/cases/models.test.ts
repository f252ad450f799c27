/** Bases, tokenizers, LoRA files and adapters of `shared/cases`, each as its README says. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { convertAdapter, convertCheckpoint, DualAnoDiff, embedded } from '../../lib/index.js';
import type { LearnJobOptions } from '../../lib/jobs/index.js';
import { caseFolder, inCase, lossOf, tileLoss, trainCase, trainInCase } from '../helpers/cases.js';
import { cli } from '../helpers/cli.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
let number = 0;

/** The embedded base with folders put over it, and without some of its files. */
function baseWith(over: string[], without: string[] = []): string {
  const base = join(folder, `base-${number++}`);
  cpSync(embedded.base, base, { recursive: true });
  for (const name of without) rmSync(join(base, name));
  for (const from of over) {
    // The cases are read-only, and so are their copies.
    cpSync(from, base, { recursive: true, force: true });
  }
  return base;
}

const train = (name: string, options: Partial<LearnJobOptions>): Promise<number> =>
  trainCase(name, { data: caseFolder('tile'), ...options });

describe('tokenizers', () => {
  it('32: vocabulary and merges come from tokenizer.json where that is all there is', async () => {
    const files = ['vocab.json', 'merges.txt', 'special_tokens_map.json'].map((name) => join('tokenizer', name));
    const base = baseWith([join(caseFolder('32-tokenizer-json-only'), 'base')], files);
    expect(await train('32-tokenizer-json-only', { base })).toBeCloseTo(await tileLoss(), 5);
  });

  it('33: an added token stands for its own embedding', async () => {
    const own = (name: string) => join(caseFolder('33-added-tokens'), name);
    const prompts = { globalPrompt: '<my-crack>', anomalyPrompt: '<my-crack>' };
    const loss = (...over: string[]) => train('33-added-tokens', { base: baseWith(over.map(own)), ...prompts });
    const [one, other] = [await loss('base'), await loss('base', 'base_other')];
    expect(Math.abs(one - other)).toBeGreaterThan(1e-5);
  });
});

describe('LoRA files', () => {
  const withLora = (name: string, file: string, scale = 1) =>
    train(name, { lora: [{ file: join(caseFolder(name), file), scale }] });

  let scale1: number;
  let scale2: number;
  beforeAll(async () => {
    scale1 = await withLora('34-rslora', 'plain_scale1.safetensors');
    scale2 = await withLora('34-rslora', 'plain_scale2.safetensors');
    const losses = [await tileLoss(), scale1, scale2];
    expect(new Set(losses.map((loss) => loss.toFixed(4))).size).toBe(3);
  });

  it('34: rsLoRA scales by alpha / sqrt(r)', async () => {
    expect(await withLora('34-rslora', 'rslora.safetensors')).toBeCloseTo(scale2, 5);
    expect(await withLora('34-rslora', 'plain_scale1.safetensors', 2)).toBeCloseTo(scale2, 5);
  });

  it.each(['adapter_model.safetensors', '.', 'unprefixed/adapter_model.safetensors'])(
    '35: an adapter of PEFT has the scale of its config when it is named as %s',
    async (file) => {
      expect(await withLora('35-peft-folder', file)).toBeCloseTo(scale2, 5);
    },
  );

  it('36: a file may have = in its name on the command line, with and without a scale behind it', async () => {
    const run = (lora: string) => {
      const out = join(folder, `${number++}.safetensors`);
      return trainInCase('36-lora-name-equals', out, '--data', caseFolder('tile'), '--lora', lora);
    };
    expect(lossOf(await run('style_rank=4.safetensors'))).toBeCloseTo(scale1, 5);
    expect(lossOf(await run('style_rank=4.safetensors=2'))).toBeCloseTo(scale2, 5);
  });

  const module = 'lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q';
  it.each([
    ['empty', 'holds no LoRA'],
    ['nan', `${module}.lora_`],
    ['alphaNaN', `${module}.alpha`],
    ['alpha0', 'changes nothing'],
    ['alphaonly', 'lacks its down or its up half'],
    ['dora', 'dora_scale'],
    ['loha', 'hada_w1_a'],
  ])('37: %s.safetensors is an error that names the file and what is wrong with it', async (name, text) => {
    const file = join(caseFolder('37-kohya-variants'), `${name}.safetensors`);
    const load = DualAnoDiff.load(embedded.base, { device: 'cpu', lora: [{ file }] });
    await expectFailure(load, 'ERR_WEIGHTS_INVALID', file, text);
  });
});

describe('adapters', () => {
  it('83: a type that leads out of the output folder is an error, and nothing is written', async () => {
    const deep = join(folder, 'a', 'b', 'c');
    mkdirSync(deep, { recursive: true });
    const adapter = join(caseFolder('83-adapter-type-traversal'), 'evil.safetensors');
    const args = ['sample', '--adapter', adapter, '--count', '1', '--steps', '2', '--mask', 'none', '--out', 'out'];
    const { code, stdout, stderr } = await cli(args, { cwd: deep });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    for (const text of ['evil.safetensors', 'for type', '../../../escaped/here']) expect(stderr).toContain(text);
    expect(existsSync(join(folder, 'escaped'))).toBe(false);
    expect(existsSync(join(deep, 'out'))).toBe(false);
  });

  it('83: such a type is refused whatever the ending of the file', async () => {
    const renamed = join(folder, 'evil.bin');
    cpSync(join(caseFolder('83-adapter-type-traversal'), 'evil.safetensors'), renamed);
    const out = join(folder, 'converted-evil.safetensors');
    await expectFailure(convertAdapter(renamed, out), 'ERR_WEIGHTS_INVALID', 'evil.bin');
    expect(existsSync(out)).toBe(false);
  });
});

describe('86: checkpoint files that say what they predict', () => {
  const out = join(folder, 'single');
  const baseConfig = join(out, 'configs');
  const fileOf = (name: string) => join(out, `${name}.safetensors`);
  const trainOn = (name: string, more: Partial<LearnJobOptions> = {}) =>
    train('86-single-file-vpred', { base: fileOf(name), baseConfig, ...more });

  beforeAll(() => {
    const script = join(caseFolder('86-single-file-vpred'), 'make.mjs');
    expect(spawnSync(process.execPath, [script, out]).status).toBe(0);
  });

  it('a checkpoint that its metadata says predicts v is trained as such', async () => {
    expect(await trainOn('plain', { predictionType: 'v_prediction' })).toBeCloseTo(0.259849, 5);
    expect(await trainOn('modelspec_v')).toBeCloseTo(0.259849, 5);
  });

  it('a checkpoint that predicts v says so once it is a base folder', async () => {
    const base = join(folder, 'converted');
    const args = ['convert', '--to', 'base', '--input', fileOf('modelspec_v'), '--base-config', baseConfig];
    expect((await inCase('86-single-file-vpred', [...args, '--out', base])).code).toBe(0);
    const config = JSON.parse(readFileSync(join(base, 'scheduler', 'scheduler_config.json'), 'utf8'));
    expect(config.prediction_type).toBe('v_prediction');
  });

  it('a checkpoint with zero terminal SNR is neither trained on nor converted', async () => {
    const texts = ['v_pred_key.safetensors', 'ztsnr', 'zero terminal SNR'];
    await expectFailure(trainOn('v_pred_key'), 'ERR_MODEL_INVALID', ...texts);
    const converted = join(folder, 'no');
    const work = convertCheckpoint(fileOf('v_pred_key'), converted, { baseConfig });
    await expectFailure(work, 'ERR_MODEL_INVALID', ...texts);
    expect(existsSync(converted)).toBe(false);
  });
});

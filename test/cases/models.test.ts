/** Bases, tokenizers, LoRA files and adapters of `shared/cases`, each as its README says. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { embedded } from '../../lib/core/paths.js';
import { convertAdapter, DualAnoDiff } from '../../lib/index.js';
import { caseFolder, inCase, lossOf, TILE_LOSS, trainInCase } from '../helpers/cases.js';
import { cli, type Outcome } from '../helpers/cli.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
let number = 0;

/** The embedded base with folders put over it, and without some of its files. */
function baseWith(over: string[], without: string[] = []): string {
  const base = join(folder, `base-${number++}`);
  cpSync(embedded.base, base, { recursive: true });
  for (const name of ['initial_adapter.safetensors', ...without]) rmSync(join(base, name));
  for (const from of over) {
    // What is copied from the cases is read-only, as they are.
    cpSync(from, base, { recursive: true, force: true });
  }
  return base;
}

const train = (name: string, ...more: string[]): Promise<Outcome> =>
  trainInCase(name, join(folder, `${number++}.safetensors`), '--data', join(caseFolder(''), 'tile'), ...more);

/** One line that holds every text, exit 1. */
function expectError({ code, stderr, stdout }: Outcome, ...texts: string[]): void {
  for (const text of texts) expect(`${stderr}${stdout}`).toContain(text);
  expect(`${stderr}${stdout}`).not.toMatch(/^ {4}at /m);
  expect(code).toBe(1);
}

describe('tokenizers', () => {
  it('32: vocabulary and merges come from tokenizer.json where that is all there is', async () => {
    const files = ['vocab.json', 'merges.txt', 'special_tokens_map.json'].map((name) => join('tokenizer', name));
    const base = baseWith([join(caseFolder('32-tokenizer-json-only'), 'base')], files);
    expect(lossOf(await train('32-tokenizer-json-only', '--base', base))).toBeCloseTo(TILE_LOSS, 5);
  });

  it('33: an added token stands for its own embedding', async () => {
    const own = (name: string) => join(caseFolder('33-added-tokens'), name);
    const prompts = ['--global-prompt', '<my-crack>', '--anomaly-prompt', '<my-crack>'];
    const loss = async (...over: string[]) =>
      lossOf(await train('33-added-tokens', '--base', baseWith(over.map(own)), ...prompts));
    const [one, other] = [await loss('base'), await loss('base', 'base_other')];
    expect(Math.abs(one - other)).toBeGreaterThan(1e-5);
  });
});

describe('LoRA files', () => {
  const SCALE_1 = 0.111273;
  const SCALE_2 = 0.112914;

  it('34: rsLoRA scales by alpha / sqrt(r)', async () => {
    expect(lossOf(await train('34-rslora', '--lora', 'rslora.safetensors'))).toBeCloseTo(SCALE_2, 5);
    expect(lossOf(await train('34-rslora', '--lora', 'plain_scale1.safetensors=2'))).toBeCloseTo(SCALE_2, 5);
  });

  it('35: an adapter of PEFT has the scale of its config, as a file or as a folder', async () => {
    for (const lora of ['adapter_model.safetensors', '.', 'unprefixed/adapter_model.safetensors'])
      expect(lossOf(await train('35-peft-folder', '--lora', lora)), lora).toBeCloseTo(SCALE_2, 5);
  });

  it('36: a file may have = in its name', async () => {
    expect(lossOf(await train('36-lora-name-equals', '--lora', 'style_rank=4.safetensors'))).toBeCloseTo(SCALE_1, 5);
  });

  it('37: what is no LoRA, is damaged or changes nothing is an error that names the file', async () => {
    const module = 'lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q';
    const expected = {
      empty: 'holds no LoRA',
      nan: `${module}.lora_`,
      alphaNaN: `${module}.alpha`,
      alpha0: 'changes nothing',
      alphaonly: 'lacks its down or its up half',
      dora: 'dora_scale',
      loha: 'hada_w1_a',
    };
    for (const [name, text] of Object.entries(expected)) {
      const file = join(caseFolder('37-kohya-variants'), `${name}.safetensors`);
      const error = await DualAnoDiff.load(embedded.base, { device: 'cpu', loras: [{ file }] }).catch((cause) => cause);
      expect(error, name).toMatchObject({ code: 'ERR_WEIGHTS_INVALID' });
      for (const part of [file, text]) expect(error.message).toContain(part);
    }
    expectError(await train('37-kohya-variants', '--lora', 'nan.safetensors'), 'nan.safetensors', expected.nan);
  });
});

describe('adapters', () => {
  it('83: a type that leads out of the output folder is an error, and nothing is written', async () => {
    const deep = join(folder, 'a', 'b', 'c');
    mkdirSync(deep, { recursive: true });
    const adapter = join(caseFolder('83-adapter-type-traversal'), 'evil.safetensors');
    const args = ['sample', '--adapter', adapter, '--count', '1', '--steps', '2', '--mask', 'none', '--out', 'out'];
    expectError(await cli(args, { cwd: deep }), 'evil.safetensors', 'for type', '../../../escaped/here');
    expect(existsSync(join(folder, 'escaped'))).toBe(false);
    expect(existsSync(join(deep, 'out'))).toBe(false);
  });

  it('83: is refused under another ending, too', async () => {
    const renamed = join(folder, 'evil.bin');
    cpSync(join(caseFolder('83-adapter-type-traversal'), 'evil.safetensors'), renamed);
    const out = join(folder, 'converted-evil.safetensors');
    await expect(convertAdapter(renamed, out)).rejects.toMatchObject({ code: 'ERR_WEIGHTS_INVALID' });
    expect(existsSync(out)).toBe(false);
  });
});

describe('86: checkpoint files that say what they predict', () => {
  const out = join(folder, 'single');
  const make = () => {
    const script = join(caseFolder('86-single-file-vpred'), 'make.mjs');
    expect(spawnSync(process.execPath, [script, out]).status).toBe(0);
  };
  const configs = ['--base-config', join(out, 'configs')];
  const trainOn = (name: string, ...more: string[]) =>
    train('86-single-file-vpred', '--base', join(out, `${name}.safetensors`), ...configs, ...more);

  it('v by its metadata, in training and converted', async () => {
    make();
    expect(lossOf(await trainOn('plain', '--prediction-type', 'v_prediction'))).toBeCloseTo(0.259849, 5);
    expect(lossOf(await trainOn('modelspec_v'))).toBeCloseTo(0.259849, 5);
    const base = join(folder, 'converted');
    const args = ['convert', '--to', 'base', '--input', join(out, 'modelspec_v.safetensors'), ...configs];
    expect((await inCase('86-single-file-vpred', [...args, '--out', base])).code).toBe(0);
    const config = JSON.parse(readFileSync(join(base, 'scheduler', 'scheduler_config.json'), 'utf8'));
    expect(config.prediction_type).toBe('v_prediction');
    expectError(await trainOn('v_pred_key'), 'v_pred_key.safetensors', 'ztsnr', 'zero terminal SNR');
    const refused = ['convert', '--to', 'base', '--input', join(out, 'v_pred_key.safetensors'), ...configs];
    expectError(await inCase('86-single-file-vpred', [...refused, '--out', join(folder, 'no')]), 'ztsnr');
    expect(existsSync(join(folder, 'no'))).toBe(false);
  });
});

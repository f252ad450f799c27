import { spawn } from 'node:child_process';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Dataset, DualAnoDiff, embedded, Masker, Trainer } from '../../lib/index.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const root = join(import.meta.dirname, '..', '..');

const run = (command: string, ...args: string[]) =>
  new Promise<number | null>((resolve) => {
    spawn(command, args, { cwd: root, stdio: 'ignore' }).on('close', resolve);
  });
const trainAssets = (...args: string[]) => run(process.execPath, join('scripts', 'train-assets.mjs'), ...args);

it('one command trains the embedded models and makes the same example set', async () => {
  expect(await trainAssets('--fresh', '--share', '0.001', '--out', folder)).toBe(0);
  await using model = await DualAnoDiff.load(join(folder, 'base'));
  expect(model.defaults).toMatchObject({
    training: { initialAdapter: join(folder, 'base', 'initial_adapter.safetensors') },
  });
  await using trainer = new Trainer(model, { types: ['stain'], resolution: 32, batchSize: 1 });
  const dataset = await Dataset.open(join(folder, 'example', 'brushed_metal'));
  for await (const step of trainer.train(dataset, { steps: 1 })) expect(step.loss).toBeGreaterThan(0);
  const pair = await trainer.preview({ steps: 2 });
  await using masker = await Masker.load(join(folder, 'u2netp', 'u2netp.safetensors'));
  expect(await masker.mask(pair.part)).toMatchObject({ width: 32, height: 32, channels: 1 });

  const shipped = join(embedded.example, 'test', 'scratch');
  for (const name of readdirSync(shipped)) {
    const remade = readFileSync(join(folder, 'example', 'brushed_metal', 'test', 'scratch', name));
    expect(remade.equals(readFileSync(join(shipped, name)))).toBe(true);
  }
}, 240_000);

it('training of the UNet that was stopped ends as training that was not', async () => {
  const data = join(folder, 'few.safetensors');
  const makeData = join('scripts', 'assets', 'make-training-data.mjs');
  expect(await run(process.execPath, makeData, data, '3', '1')).toBe(0);
  const trained = async (name: string, ...ends: number[]) => {
    const base = join(folder, name);
    for (const part of ['vae', 'tokenizer']) cpSync(join(embedded.base, part), join(base, part), { recursive: true });
    const checkpoint = join(base, 'checkpoint.safetensors');
    for (const steps of ends) {
      const args = ['unet', '--data', data, '--base', base, '--checkpoint', checkpoint, '--steps', `${steps}`];
      expect(await run(join('build', 'dualanodiff-pretrain'), ...args, '--batch-size', '2')).toBe(0);
    }
    return ['unet', 'text_encoder', '.'].flatMap((part) =>
      readdirSync(join(base, part))
        .filter((file) => file.endsWith('.safetensors'))
        .map((file) => readFileSync(join(base, part, file))),
    );
  };
  const whole = await trained('whole', 4);
  expect(whole.length).toBe(4); // UNet, text encoder, initial adapter and checkpoint
  const resumed = await trained('resumed', 1, 3, 4);
  expect(resumed.map((file, i) => file.equals(whole[i] as Buffer))).toEqual([true, true, true, true]);
}, 240_000);

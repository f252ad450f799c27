import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Dataset, DualAnoDiff, embedded, Masker, Trainer } from '../../lib/index.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const root = join(import.meta.dirname, '..', '..');

const trainAssets = (...args: string[]) =>
  new Promise<number | null>((resolve) => {
    spawn(process.execPath, [join(root, 'scripts', 'train-assets.mjs'), ...args], { stdio: 'ignore' }).on(
      'close',
      resolve,
    );
  });

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

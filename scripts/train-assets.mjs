// Usage: npm run train-assets -- [--tiles FOLDER] [--only vae|unet|u2net] [--threads N] [--share S] [--out FOLDER]
// Trains the embedded models from scratch. The training images are procedural, and --tiles adds photographs of good
// magnetic tiles. Training data and logs are written to .assets-work/, and the models to assets/. For a quick trial,
// `--share 0.01 --out FOLDER` uses 1 % of the images and steps.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    tiles: { type: 'string' },
    only: { type: 'string' },
    threads: { type: 'string', default: '2' },
    share: { type: 'string', default: '1' },
    out: { type: 'string', default: join(root, 'assets') },
  },
});
const share = Number(values.share);
const out = resolve(values.out);
const base = join(out, 'base');
const work = share === 1 ? join(root, '.assets-work') : out;
const data = join(work, 'training.safetensors');
const part = (count) => String(Math.ceil(count * share));

/** The training of each model. The U-Net and the mask model need the autoencoder. Times are for two cores. */
const stages = {
  vae: ['--base', base, '--steps', part(5500), '--batch-size', '8', '--learning-rate', '0.002'], // 45 minutes
  unet: ['--base', base, '--steps', part(4400), '--batch-size', '8', '--learning-rate', '0.001'], // 100 minutes
  u2net: [
    ...['--base', base, '--out', join(out, 'u2netp', 'u2netp.safetensors')],
    ...['--steps', part(1050), '--batch-size', '8', '--learning-rate', '0.002'], // 20 minutes
  ],
};

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

mkdirSync(work, { recursive: true });
for (const given of ['tokenizer', 'scheduler', 'model_index.json', 'dualanodiff.json']) {
  const from = join(root, 'assets', 'base', given);
  if (!existsSync(join(base, given))) cpSync(from, join(base, given), { recursive: true });
}
if (!existsSync(data)) {
  const tiles = values.tiles ? [resolve(values.tiles)] : [];
  run(process.execPath, ['scripts/assets/make-training-data.mjs', data, part(4000), ...tiles]);
}
for (const [stage, args] of Object.entries(stages)) {
  if (values.only && values.only !== stage) continue;
  run(join(root, 'build', 'dualanodiff-pretrain'), [stage, '--data', data, '--threads', values.threads, ...args]);
}
if (!values.only) {
  run(process.execPath, ['scripts/assets/make-example.mjs', join(out, 'example', 'brushed_metal')]);
}

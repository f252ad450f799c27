// Trains the embedded models from scratch: npm run train-assets [-- --tiles FOLDER] [--only vae|unet|u2net] [--threads N]
// Pictures are procedural; --tiles adds photographs of good magnetic tiles. Work lies in .assets-work/, the result in
// assets/. Times are of two cores.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: { tiles: { type: 'string' }, only: { type: 'string' }, threads: { type: 'string', default: '2' } },
});
const base = join(root, 'assets', 'base');
const data = join(root, '.assets-work', 'training.safetensors');
const PICTURES = '4000';

/** What each model is trained with; the UNet and the mask model need the autoencoder. */
const stages = {
  vae: ['--base', base, '--steps', '5500', '--batch-size', '8', '--learning-rate', '0.002'], // 45 minutes
  unet: ['--base', base, '--steps', '4400', '--batch-size', '8', '--learning-rate', '0.001'], // 100 minutes
  u2net: [
    ...['--base', base, '--out', join(root, 'assets', 'u2netp', 'u2netp.safetensors')],
    ...['--steps', '850', '--batch-size', '8', '--learning-rate', '0.002'], // 15 minutes
  ],
};

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

mkdirSync(dirname(data), { recursive: true });
if (!existsSync(data))
  run(process.execPath, [
    'scripts/assets/make-training-data.mjs',
    data,
    PICTURES,
    ...(values.tiles ? [values.tiles] : []),
  ]);
for (const [stage, args] of Object.entries(stages)) {
  if (values.only && values.only !== stage) continue;
  run(join(root, 'build', 'dualanodiff-pretrain'), [stage, '--data', data, '--threads', values.threads, ...args]);
}
if (!values.only)
  run(process.execPath, ['scripts/assets/make-example.mjs', join(root, 'assets', 'example', 'brushed_metal')]);

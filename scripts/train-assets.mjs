// Usage: npm run train-assets -- [--only vae|unet|u2net] [--minutes N] [--threads N] [--fresh] [--share S] [--out FOLDER]
// Trains the embedded models on procedural pictures. Everything is written to .assets-work/ (or --out): the pictures,
// the checkpoints and the models, whose folder base/ can be used with `--base`. Each model starts from the weights that
// are there, or those in assets/, or, with --fresh, from random ones. The UNet's training is resumed from its newest
// checkpoint: `--only unet --minutes 30` continues it for so long. For a quick trial, `--share 0.01 --out FOLDER` uses
// 1 % of the pictures and steps.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    minutes: { type: 'string' },
    threads: { type: 'string', default: '2' },
    fresh: { type: 'boolean', default: false },
    share: { type: 'string', default: '1' },
    out: { type: 'string', default: join(root, '.assets-work') },
  },
});
const share = Number(values.share);
const out = resolve(values.out);
const base = join(out, 'base');
const shipped = join(root, 'assets');
const data = join(out, 'training.safetensors');
const part = (count) => String(Math.ceil(count * share));
/** How long a model is trained: --minutes of each, or a share of its steps. */
const length = (steps) => (values.minutes ? ['--minutes', values.minutes] : ['--steps', part(steps)]);
const resume = ['--resume', values.fresh ? 'no' : 'yes'];

/** The training of each model. The UNet and the mask model need the autoencoder. */
const stages = {
  vae: ['--base', base, ...length(5500), '--learning-rate', '0.001', ...resume],
  unet: [
    ...['--base', base, ...length(20000), '--learning-rate', '0.001'],
    ...['--checkpoint', join(out, 'unet-checkpoint.safetensors')],
    ...(values.fresh ? [] : ['--start', join(shipped, 'base')]),
  ],
  u2net: [
    ...['--base', base, '--out', join(out, 'u2netp', 'u2netp.safetensors'), ...length(1050)],
    ...['--learning-rate', '0.002', ...resume],
  ],
};

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (values.only && !(values.only in stages)) {
  console.error(`Expected vae, unet or u2net for --only but received ${values.only}`);
  process.exit(2);
}
mkdirSync(out, { recursive: true });
const given = ['tokenizer', 'scheduler', 'model_index.json', 'dualanodiff.json'].map((name) => join('base', name));
for (const name of values.fresh ? given : [...given, join('base', 'vae'), 'u2netp']) {
  if (!existsSync(join(out, name))) cpSync(join(shipped, name), join(out, name), { recursive: true });
}
if (!existsSync(data)) {
  run(process.execPath, ['scripts/assets/make-training-data.mjs', data, part(12000), values.threads]);
}
for (const [stage, args] of Object.entries(stages)) {
  if (values.only && values.only !== stage) continue;
  run(join(root, 'build', 'dualanodiff-pretrain'), [stage, '--data', data, '--threads', values.threads, ...args]);
}
if (!values.only) {
  run(process.execPath, ['scripts/assets/make-example.mjs', join(out, 'example', 'brushed_metal')]);
}

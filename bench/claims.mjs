// Usage: node bench/claims.mjs PYTHON [--save NAME] [--reps N] [--only PART,...]
// Measures every claim of speed and memory on this machine, each beside the peer, and prints a table. With --save,
// writes bench/results/NAME.json, which bench/chart.mjs draws. It takes about half an hour on two cores. PYTHON must
// have torch, diffusers and transformers.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { save: { type: 'string' }, reps: { type: 'string', default: '3' }, only: { type: 'string' } },
});
const [python] = positionals;
if (!python) {
  console.error('usage: node bench/claims.mjs PYTHON [--save NAME] [--reps N] [--only denoise,train,saim,bcm,start]');
  process.exit(2);
}
const features = readFileSync('/proc/cpuinfo', 'utf8');
const has = (feature) => new RegExp(`\\b${feature}\\b`).test(features);
const threads = String(cpus().length);

function run(command, args) {
  const { status, stdout } = spawnSync(command, args, { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
  return stdout;
}
const how = ['--threads', threads, '--reps', values.reps];
const bench = (...args) =>
  JSON.parse(run(join(root, 'build', 'dualanodiff-bench'), [args[0], ...how, ...args.slice(1)]));
const peer = (...args) => {
  const printed = run(python, [join(root, '..', 'shared', 'peer', 'dual_step.py'), ...how, ...args]);
  return JSON.parse(printed.trim().split('\n').at(-1));
};

const rows = [];
function claim(what, goal, ours, other, memoryGoal) {
  const row = { what, goal, ours_s: ours.median_s, other_s: other.median_s, ratio: ours.median_s / other.median_s };
  if (memoryGoal !== undefined) {
    Object.assign(row, { ours_mib: ours.peak_mib, other_mib: other.peak_mib });
    Object.assign(row, { memory_goal: memoryGoal, memory_ratio: ours.peak_mib / other.peak_mib });
  }
  rows.push(row);
  const memory = memoryGoal === undefined ? '' : `; memory ${row.memory_ratio.toFixed(2)} of ${memoryGoal}`;
  console.log(
    `${what}: ${row.ours_s.toFixed(3)} s of ${row.other_s.toFixed(3)}, ${row.ratio.toFixed(2)} of ${goal}${memory}`,
  );
}

const parts = {
  denoise() {
    const step = ['--size', '512', '--cfg'];
    const ours = bench('denoise-step', ...step);
    const dual = peer(...step);
    claim('denoise step, 512, pair and guidance, float32', 0.8, ours, dual, 0.85);
    claim('the same beside the bare UNet', 1, ours, peer(...step, '--plain'));
    if (!has('avx512_bf16')) return;
    const low = [...step, '--dtype', 'bfloat16'];
    const ofLow = bench('denoise-step', ...low);
    claim('denoise step, bfloat16', 0.8, ofLow, peer(...low));
    claim('the same beside the peer in float32', 0.45, ofLow, dual);
  },
  train() {
    claim(
      'train step, 256, one pair, float32',
      0.65,
      bench('train-step', '--size', '256'),
      peer('--train', '--size', '256'),
      0.6,
    );
  },
  saim() {
    for (const [tokens, width] of [
      [4096, 320],
      [1024, 640],
      [256, 1280],
    ]) {
      const module = [
        'saim',
        '--pairs',
        '1',
        '--cfg',
        '--tokens',
        String(tokens),
        '--width',
        String(width),
        '--reps',
        '20',
      ];
      const one = (...more) => bench(...module, ...more);
      claim(`SAIM, ${tokens} x ${width}, beside the plain composition`, 0.333, one(), one('--plain'));
    }
  },
  bcm() {
    // The two are measured in turns, because other programs on the machine can change a single time by more than 10 %.
    const pairs = ['--pairs', '8', '--size', '256', '--cfg', '--reps', '1'];
    const turns = Array.from({ length: 4 }, () => [bench('bcm', ...pairs), bench('denoise-step', ...pairs)]);
    const median = (which) => {
      const [, low, high] = turns.map((turn) => turn[which].median_s).sort((a, b) => a - b);
      return { median_s: (low + high) / 2 };
    };
    claim('8 pairs that share a background, beside none', 1.1, median(0), median(1));
  },
  start() {
    const { start_s, read_s } = JSON.parse(run(process.execPath, [join(root, 'bench', 'start.mjs')]));
    rows.push({ what: 'process start to first step, beyond reading the files', goal_s: 3, ours_s: start_s - read_s });
    console.log(
      `start to first step: ${start_s.toFixed(2)} s, of which reading the files would take ${read_s.toFixed(2)}`,
    );
  },
};
for (const name of values.only?.split(',') ?? Object.keys(parts)) parts[name]();

if (values.save) {
  const file = join(root, 'bench', 'results', `${values.save}.json`);
  const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).rows : [];
  // These rows belong to parts that --only left out.
  const kept = before.filter(({ what }) => !rows.some((row) => row.what === what));
  const vectors = has('avx512f') ? 'AVX-512' : 'AVX2';
  const machine = `${cpus()[0]?.model.trim()}, ${threads} cores, ${vectors}`;
  const result = { machine, date: new Date().toISOString().slice(0, 10), rows: [...kept, ...rows] };
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`);
}

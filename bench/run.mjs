// Usage: npm run bench -- NAME [--size N] [--pairs N] [--cfg] [--dtype X] [--device X] [--threads N] [--reps N]
//                              [--base DIR] [--stored X] [--tokens N] [--width N] [--plain] [--checkpointing]
//                              [--profile] [--capability X] [--peer PYTHON] [--json]
//        npm run bench -- two-jobs [--reps N] [--spins N] [--spinning] [--json]
//
// Runs one benchmark in its own process. With --peer, also runs the peer's script right after it and prints the ratio.
// two-jobs.mjs describes the second form.
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const peerScript = join(root, '..', 'shared', 'peer', 'dual_step.py');

function setUp() {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'setup.mjs')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) process.exit(1);
}

if (process.argv[2] === 'two-jobs') {
  setUp();
  const args = [join(root, 'bench', 'two-jobs.mjs'), ...process.argv.slice(3)];
  process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1);
}
const text = { type: 'string' };
const flag = { type: 'boolean' };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: text,
    pairs: text,
    rank: text,
    cfg: flag,
    dtype: text,
    device: text,
    threads: text,
    reps: text,
    base: text,
    stored: text,
    tokens: text,
    width: text,
    plain: flag,
    checkpointing: flag,
    profile: flag,
    capability: text,
    peer: text,
    json: flag,
  },
});
const name = positionals[0];
const { json, peer, base, stored, tokens, width, plain, checkpointing, profile, capability, ...shared } = values;
// The peer's script does not have these options.
const own = { base, stored, tokens, width, plain, checkpointing, profile, capability };
const flags = (options) =>
  Object.entries(options).flatMap(([key, value]) => (value === true ? [`--${key}`] : [`--${key}`, value]));

function measure(command, args) {
  const { status, stdout } = spawnSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });
  if (status !== 0) process.exit(status ?? 1);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

if (!name) {
  console.error(
    'usage: npm run bench -- denoise-step|train-step|saim|bcm|vae|sample|load|two-jobs [options]; see bench/README.md',
  );
  process.exit(2);
}
setUp();
const result = measure(join(root, 'build', 'dualanodiff-bench'), [
  name,
  ...flags(shared),
  ...flags(Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined))),
]);
result.machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores`;
if (peer) {
  if (name !== 'denoise-step' && name !== 'train-step')
    throw new Error('the peer has only denoise-step and train-step');
  result.peer = measure(peer, [peerScript, ...(name === 'train-step' ? ['--train'] : []), ...flags(shared)]);
  result.ratio = result.median_s / result.peer.median_s;
  result.memory_ratio = result.peak_mib / result.peer.peak_mib;
}
if (json) {
  console.log(JSON.stringify(result));
} else {
  console.log(
    `${result.what}: ${result.median_s.toFixed(3)} s (${result.min_s.toFixed(3)} to ${result.max_s.toFixed(3)}), peak ${result.peak_mib} MiB, ${result.dtype} on ${result.device}, ${result.threads} threads, ${result.machine}`,
  );
  for (const { operation, calls, seconds } of (result.profile ?? []).slice(0, 15))
    console.log(`${seconds.toFixed(3).padStart(9)} s  ${String(calls).padStart(5)} x  ${operation}`);
  if (result.peer)
    console.log(
      `peer: ${result.peer.median_s.toFixed(3)} s, peak ${result.peer.peak_mib} MiB; ratio ${result.ratio.toFixed(2)} in time, ${result.memory_ratio.toFixed(2)} in memory`,
    );
}

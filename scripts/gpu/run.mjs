// Usage: node run.mjs [--out DIR] [--budget SECONDS] [--device cuda|cpu] [--only PART,...] [--python FILE]
// Runs the parts of parts.mjs within the budget. It exits with 0 if no part failed, and with 1 otherwise. run.sh starts
// it on the machine, from the folder that pack.mjs filled.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findMachine } from './machine.mjs';
import { listParts } from './parts.mjs';
import { Results } from './results.mjs';

/** This many seconds are kept for the summary and for the return of the files. */
const RESERVE = 5;

const pack = dirname(fileURLToPath(import.meta.url));
const text = { type: 'string' };
const { values } = parseArgs({
  options: {
    out: { ...text, default: process.env.OUT ?? 'gpu-results' },
    budget: { ...text, default: '540' },
    device: { ...text, default: 'cuda' },
    only: text,
    python: text,
  },
});
const usage = (message) => {
  console.error(message);
  process.exit(2);
};
const budget = Number(values.budget);
if (!(budget > RESERVE)) usage(`Expected more than ${RESERVE} seconds for --budget but received ${values.budget}`);
if (!['cuda', 'cpu'].includes(values.device)) usage(`Expected cuda or cpu for --device but received ${values.device}`);
const left = () => budget - RESERVE - performance.now() / 1000;

/** The process group of the part that runs. */
let running;
const killRunning = () => running !== undefined && process.kill(-running, 'SIGKILL');
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    killRunning();
    process.exit(1);
  });
}

/** Runs a program in a process group of its own, which is killed as a whole after `limit` seconds. */
function run({ command, args }, limit, env) {
  return new Promise((done) => {
    const child = spawn(command, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    running = child.pid;
    const output = [];
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      killRunning();
    }, 1000 * limit);
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
    const end = (how) => {
      clearTimeout(timer);
      running = undefined;
      done({ ...how, isLate, output: Buffer.concat(output).toString() });
    };
    child.once('error', ({ message }) => end({ problem: message }));
    child.once('close', (status, signal) =>
      end({ problem: signal ?? (status === 0 ? undefined : `status ${status}`) }),
    );
  });
}

let machine;
try {
  machine = findMachine(values.python);
} catch (error) {
  usage(error.message);
}
const scratch = mkdtempSync(join(tmpdir(), 'dualanodiff-gpu-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const env = {
  ...process.env,
  LIBTORCH: machine.libtorch,
  LD_LIBRARY_PATH: [join(machine.libtorch, 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':'),
  DUALANODIFF_BINARY: join(pack, 'build', 'Release'),
  PYTHONPATH: [join(pack, 'python'), process.env.PYTHONPATH].filter(Boolean).join(':'),
  HF_HUB_OFFLINE: '1',
};
const { revision } = JSON.parse(readFileSync(join(pack, 'pack.json'), 'utf8'));
const head = `dualanodiff ${revision} on ${values.device}; ${cpus()[0]?.model.trim()}, ${cpus().length} cores; torch ${machine.version ?? 'of unknown version'}; budget ${budget} s`;
console.log(head);
const results = new Results(values.out, head);
let parts = listParts({ pack, device: values.device, machine, scratch });
if (values.only !== undefined) {
  const names = values.only.split(',');
  const unknown = names.filter((name) => parts.every((part) => part.name !== name));
  if (unknown.length > 0)
    usage(
      `Expected names of parts for --only but received ${unknown.join(', ')}. The parts are:\n${parts.map(({ name }) => name).join('\n')}`,
    );
  parts = parts.filter(({ name }) => names.includes(name));
}
for (const { name, missing, limit, need, read, beside, ...program } of parts) {
  const skip = missing ?? (left() < need ? `${left().toFixed(0)} s are left of the budget` : undefined);
  if (skip !== undefined) {
    results.add({ name, result: 'not run', line: skip });
  } else {
    const begin = performance.now();
    const { problem, isLate, output } = await run(program, Math.min(limit, left()), env);
    const seconds = (performance.now() - begin) / 1000;
    const { ok, line, figures } = read(output);
    const last = output.trim().split('\n').at(-1)?.slice(0, 300);
    const row = { name, seconds, figures, beside };
    if (isLate)
      results.add({ ...row, result: 'out of time', line: `ended after ${seconds.toFixed(0)} s: ${line}` }, output);
    else if (problem !== undefined)
      results.add({ ...row, result: 'failed', line: `${problem}; ${ok || !figures ? last : line}` }, output);
    else results.add({ ...row, result: ok ? 'passed' : 'failed', line }, output);
  }
  console.log(results.summary().trimEnd().split('\n').at(-3));
}
console.log(`\n${results.summary()}`);
process.exit(results.failed > 0 ? 1 : 0);

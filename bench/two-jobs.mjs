// Usage: node bench/two-jobs.mjs [--reps N] [--spins N] [--spinning] [--json]
// Measures two jobs on the same two cores. A job is twelve training steps on the embedded base (128 pixels, batch 4),
// without loading. A single job is compared with one under libgomp's default wait policy, which version 0.1.0 used. Two
// jobs, as two processes and as two workers of one process, are compared with a single job. --spins sets another
// GOMP_SPINCOUNT. --spinning also measures two processes under libgomp's default policy, which takes many minutes.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

const self = fileURLToPath(import.meta.url);
const STEPS = 12;
const LIBGOMP_SPINS = '300000'; // This is libgomp's default.
const WAIT_VARIABLES = ['OMP_WAIT_POLICY', 'GOMP_SPINCOUNT', 'KMP_BLOCKTIME', 'KMP_LIBRARY', 'OMP_NUM_THREADS'];

/** Loads the base, waits for `ready`, and returns the seconds that the steps take. */
async function job(ready) {
  const { Dataset, DualAnoDiff, embedded, Trainer } = await import('../dist/index.js');
  const dataset = await Dataset.open(embedded.example);
  const model = await DualAnoDiff.load(embedded.base);
  const trainer = new Trainer(model, { types: ['stain'], resolution: 128, batchSize: 4 });
  await ready();
  const begin = performance.now();
  for await (const _ of trainer.train(dataset, { steps: STEPS }));
  const seconds = (performance.now() - begin) / 1000;
  await trainer.dispose();
  await model.dispose();
  return seconds;
}

/**
 * Runs in a child process. Starts each job in its own worker, and all of them begin when the parent sends a message.
 */
async function runChild(count) {
  const workers = Array.from({ length: count }, () => new Worker(self));
  const next = (worker) =>
    new Promise((done, fail) => {
      worker.once('message', done);
      worker.once('error', fail);
    });
  await Promise.all(workers.map(next));
  process.send('ready');
  await new Promise((done) => process.once('message', done));
  const before = process.cpuUsage();
  const seconds = await Promise.all(
    workers.map((worker) => {
      worker.postMessage('start');
      return next(worker);
    }),
  );
  const { user, system } = process.cpuUsage(before);
  process.send({ seconds, cpu: (user + system) / 1e6 });
  await Promise.all(workers.map((worker) => worker.terminate()));
  process.disconnect();
}

/** Returns two of the cores that this process may use, in the notation of taskset. */
function twoCores() {
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1];
  const cores = allowed.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  if (cores.length < 2) throw new Error('two-jobs needs two cores');
  return cores.slice(0, 2).join(',');
}

/**
 * Runs processes with `workers` jobs each at the same time. Returns the seconds of each job and the CPU time of all.
 */
async function measure({ processes = 1, workers = 1, spins }) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !WAIT_VARIABLES.includes(name)));
  if (spins !== undefined) env.GOMP_SPINCOUNT = spins;
  const cores = twoCores();
  const children = Array.from({ length: processes }, () =>
    spawn('taskset', ['-c', cores, process.execPath, self, '--child', String(workers)], {
      env,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  );
  const next = (child) =>
    new Promise((done, fail) => {
      child.once('message', done);
      child.once('error', fail);
      child.once('exit', (code) => fail(new Error(`a job ended with status ${code}`)));
    });
  await Promise.all(children.map(next));
  const results = await Promise.all(
    children.map((child) => {
      child.send('start');
      return next(child);
    }),
  );
  await Promise.all(children.map((child) => child.exitCode ?? new Promise((done) => child.once('exit', done))));
  return {
    seconds: results.flatMap((result) => result.seconds),
    cpu: results.reduce((sum, result) => sum + result.cpu, 0),
  };
}

/** Returns the run whose slowest job was the fastest. Other programs on the machine can only make a run slower. */
async function best(reps, settings) {
  const runs = [];
  for (let rep = 0; rep < reps; rep++) runs.push(await measure(settings));
  const slowest = (run) => Math.max(...run.seconds);
  const { seconds, cpu } = runs.reduce((least, run) => (slowest(run) < slowest(least) ? run : least));
  return { s: Math.max(...seconds), cpu_s: cpu };
}

async function main(args) {
  const { values } = parseArgs({
    args,
    options: {
      reps: { type: 'string' },
      spins: { type: 'string' },
      spinning: { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  const reps = Number(values.reps ?? 3);
  const { spins } = values; // If it is undefined, the engine sets its own spin count.
  const runs = {
    alone_libgomp: await best(reps, { spins: LIBGOMP_SPINS }),
    alone: await best(reps, { spins }),
    two_processes: await best(reps, { processes: 2, spins }),
    two_workers: await best(reps, { workers: 2, spins }),
    ...(values.spinning && { two_processes_libgomp: await best(1, { processes: 2, spins: LIBGOMP_SPINS }) }),
  };
  const result = {
    what: 'two-jobs',
    steps: STEPS,
    ...runs,
    alone_ratio: runs.alone.s / runs.alone_libgomp.s,
    two_processes_ratio: runs.two_processes.s / runs.alone.s,
    two_workers_ratio: runs.two_workers.s / runs.alone.s,
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores, of which 2 are used`,
  };
  if (values.json) {
    console.log(JSON.stringify(result));
    return;
  }
  for (const [name, { s, cpu_s }] of Object.entries(runs))
    console.log(`${name.padEnd(22)} ${s.toFixed(2)} s, ${cpu_s.toFixed(2)} s of CPU time`);
  console.log(
    `alone ${result.alone_ratio.toFixed(2)} x libgomp's own way (goal 1.05); two processes ${result.two_processes_ratio.toFixed(2)} x one alone, two workers ${result.two_workers_ratio.toFixed(2)} x (goal 2.2); ${result.machine}`,
  );
}

if (!isMainThread) {
  const seconds = await job(async () => {
    parentPort.postMessage('ready');
    await new Promise((done) => parentPort.once('message', done));
  });
  parentPort.postMessage(seconds);
} else if (process.argv[2] === '--child') {
  await runChild(Number(process.argv[3]));
} else if (spawnSync('taskset', ['--version']).status !== 0) {
  console.error('two-jobs needs taskset (Debian and Ubuntu: util-linux)');
  process.exit(1);
} else {
  await main(process.argv.slice(2));
}

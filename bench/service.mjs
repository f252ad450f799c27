// Usage: node bench/service.mjs [--jobs 40] [--workers 3] [--kill-every 10] [--restarts 2] [--queue-jobs 1000]
//        [--clients 0] [--minutes 60] [--json]
// Lets several workers do jobs of many kinds while workers are killed and Redis is restarted, and compares every result
// with that of one undisturbed process. Then it compares the queue's throughput with that of BullMQ alone. With
// --clients, many clients follow jobs over server-sent events, and the memory of the service is measured each minute. It
// needs Debian's redis-server, and works in the temporary folder.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { embedded } from '../dist/index.js';
import { BullQueue } from '../dist/queue/bull-queue.js';
import { publishDataset } from '../dist/store/datasets.js';
import { openStore } from '../dist/store/open.js';
import { JobRunner } from '../dist/worker/run-job.js';
import { holdClients } from './clients.mjs';
import { compareThroughput } from './queue-throughput.mjs';

const text = (fallback) => ({ type: 'string', default: fallback });
const { values } = parseArgs({
  options: {
    ...{ jobs: text('40'), workers: text('3'), 'kill-every': text('10'), restarts: text('2') },
    ...{
      'queue-jobs': text('1000'),
      clients: text('0'),
      minutes: text('60'),
      json: { type: 'boolean', default: false },
    },
  },
});
const { jobs, workers, restarts, clients, minutes, ...others } = Object.fromEntries(
  Object.entries(values).map(([name, value]) => [name, Number(value)]),
);
const [killEvery, queueJobs] = [others['kill-every'], others['queue-jobs']];
const folder = mkdtempSync(join(tmpdir(), 'dualanodiff-soak-'));
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const DATA = 'brushed_metal';
const SMALL = { type: 'stain', resolution: 32, device: 'cpu' };
const PAIRS = { ...SMALL, steps: 2, batchSize: 2, count: 6 };

/** Returns the options of the k-th job. The jobs `learned` and `generated` have made an adapter and pairs. */
function requestOf(k, { learned, generated }) {
  const seed = k;
  const { device } = SMALL;
  const kinds = [
    [
      'learn',
      { ...SMALL, data: DATA, rank: 2, batchSize: 1, gradientAccumulation: 2, steps: 20, checkpointEvery: 5, seed },
    ],
    ['generate', { ...PAIRS, adapter: learned, mask: ['threshold'], seed }],
    ['place', { adapter: learned, onto: DATA, type: 'stain', count: 4, steps: 2, seed, device }],
    ['campaign', { data: DATA, type: 'stain', recipe: 'augment', count: 8, resolution: 64, seed }],
    ['mask', { parts: `${generated}/part/stain`, mask: 'threshold', maskThreshold: 0.1 + k / 1000, device }],
    ['check', { data: DATA, resolution: 32 + k }],
    ['export', { data: generated, format: 'coco' }],
  ];
  return kinds[k % kinds.length];
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

const port = await freePort();
const url = `redis://127.0.0.1:${port}`;
let redis;
async function startRedis() {
  const settings = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes'];
  redis = spawn('redis-server', settings.map(String), { stdio: 'ignore' });
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => {});
  while ((await client.ping().catch(() => '')) !== 'PONG') await wait(50);
  client.disconnect();
}
async function stopRedis() {
  redis.kill('SIGKILL');
  await once(redis, 'exit');
}

const place = join(folder, 'store');
const store = await openStore(place);
let started = 0;
function startWorker() {
  started++;
  const args = ['worker', '--redis', url, '--store', place, '--work-folder', join(folder, 'work')];
  args.push('--lock-seconds', '3', '--copy-seconds', '0.2');
  return spawn(process.execPath, [main, ...args], { stdio: 'ignore' });
}

/** The digests of a job's adapters and pictures. */
function digestsOf(id) {
  const files = join(place, 'jobs', id, 'files');
  if (!existsSync(files)) return []; // The job failed, or writes no files.
  return readdirSync(files, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(safetensors|png)$/.test(entry.name))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return `${path.slice(files.length)} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
    })
    .sort();
}

/** Repeats a question to the queue while Redis is away. */
async function ask(question) {
  for (;;) {
    try {
      return await question();
    } catch (error) {
      if (!/connect|Connection|max retries|ECONN|LOADING/.test(error.message)) throw error;
      await wait(200);
    }
  }
}

async function soak() {
  const { digest } = await publishDataset(store, DATA, embedded.example);
  const queue = await BullQueue.open(url, { maxQueued: 10_000 });
  const submit = ([kind, options]) =>
    ask(() => queue.submit({ kind, options, datasets: { [DATA]: digest }, priority: 50 }));
  const isEnded = async (id) => ['completed', 'failed', 'cancelled'].includes((await ask(() => queue.get(id))).state);
  const untilEnded = async (id) => {
    while (!(await isEnded(id))) await wait(200);
  };
  let running = Array.from({ length: workers }, startWorker);
  const learned = await submit(requestOf(0, {}));
  await untilEnded(learned.id);
  const generated = await submit(requestOf(1, { learned: learned.id }));
  await untilEnded(generated.id);
  const made = { learned: learned.id, generated: generated.id };
  const requests = Array.from({ length: jobs }, (_, k) => requestOf(k, made));
  const from = performance.now();
  const submitted = [];
  for (const request of requests) submitted.push(await submit(request));
  let killed = 0;
  let restarted = 0;
  let nextKill = from + killEvery * 1000;
  for (const { id } of submitted) {
    while (!(await isEnded(id))) {
      await wait(200);
      if (performance.now() < nextKill) continue;
      nextKill += killEvery * 1000;
      const [victim, ...others] = running;
      victim.kill('SIGKILL');
      killed++;
      running = [...others, startWorker()];
      if (restarted === restarts || killed % 2 === 1) continue;
      restarted++;
      await stopRedis();
      await wait(500);
      await startRedis();
    }
  }
  const seconds = (performance.now() - from) / 1000;
  for (const one of running) one.kill('SIGTERM');
  await Promise.all(running.map((one) => once(one, 'exit')));
  const ended = await Promise.all(submitted.map(({ id }) => queue.get(id)));
  const ends = [];
  for (const { id } of submitted) {
    let count = 0;
    for await (const { event } of queue.events(id, { signal: AbortSignal.timeout(10_000) }))
      if (event.event === 'end') count++;
    ends.push(count);
  }
  await queue[Symbol.asyncDispose]();
  // The same jobs, one after the other and undisturbed, under other identifiers.
  const runner = await JobRunner.open({ store, workFolder: join(folder, 'alone'), copyEveryMs: 1e6 });
  let different = 0;
  for (const [k, job] of submitted.entries()) {
    const id = createHash('sha256').update(`alone ${k}`).digest('hex').slice(0, 32);
    const context = { signal: new AbortController().signal, onEvent() {} };
    await runner.run({ ...job, id }, context).catch(() => {}); // A failure is counted above.
    if (digestsOf(job.id).join() !== digestsOf(id).join()) different++;
  }
  await runner[Symbol.asyncDispose]();
  const left = readdirSync(place, { recursive: true }).filter((name) => /\.partial-|\.lock-/.test(name));
  return {
    ...{ jobs, workers, killed, restarted, started, seconds: Math.round(seconds) },
    completed: ended.filter(({ state }) => state === 'completed').length,
    failures: ended.filter(({ error }) => error).map(({ kind, error }) => `${kind}: ${error.message}`),
    starts: ended.reduce((sum, { attempts }) => sum + attempts, 0),
    endedOnce: ends.filter((count) => count === 1).length,
    ...{ different, leftPartial: left.length },
  };
}

/** Measures jobs of no work a second, through our queue and through BullMQ alone. */
const throughput = () => compareThroughput(url, queueJobs);

try {
  await startRedis();
  const result = {
    ...(jobs > 0 && (await soak())),
    ...(queueJobs > 0 && (await throughput())),
    ...(clients > 0 && (await holdClients({ main, url, place, clients, minutes }))),
  };
  console.log(values.json ? JSON.stringify(result) : result);
  const isWrong =
    result.completed !== jobs || result.endedOnce !== jobs || result.different > 0 || result.leftPartial > 0;
  process.exitCode = jobs > 0 && isWrong ? 1 : 0;
} finally {
  redis?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

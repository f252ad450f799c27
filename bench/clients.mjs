// Lets many clients follow jobs over server-sent events for a long time, and watches the memory of the service.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once, setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { BullQueue } from '../dist/queue/bull-queue.js';
import { QueueWorker } from '../dist/worker/queue-worker.js';

const TOKEN = 'the-token-of-the-benchmark';
const MINUTE_MS = 60_000;
/** Jobs of no work that tell of a pair at each of these intervals. */
const [RUNNING_JOBS, PAIRS, PAIR_EVERY_MS] = [4, 60, 1000];
/** Each connection is cut after a time between these, and the client continues after its last event. */
const [SHORTEST_MS, LONGEST_MS] = [10_000, 90_000];
/** One client of this many follows a job that never starts, on one connection. */
const QUIET_SHARE = 10;

/** Tells of pairs and does nothing else. */
async function run(_job, { signal, onEvent }) {
  for (let index = 0; index < PAIRS; index++) {
    await wait(PAIR_EVERY_MS, undefined, { signal });
    onEvent({ event: 'progress', stage: 'draw', unit: 'pairs', done: index + 1, total: PAIRS });
    onEvent({ event: 'pair', index, type: 'stain', image: `image/${index}.png`, part: `part/${index}.png` });
  }
  return {};
}

async function startService(main, args) {
  const env = { ...process.env, DUALANODIFF_TOKEN: TOKEN };
  const service = spawn(process.execPath, [main, 'serve', '--port', '0', '--max-requests', '1000000', ...args], {
    env,
  });
  let output = '';
  const address = await new Promise((resolve, reject) => {
    for (const stream of [service.stdout, service.stderr]) {
      stream.on('data', (data) => {
        if (output.length < 10_000) output += data;
        const [, found] = /^listening on (\S+)$/m.exec(output) ?? [];
        if (found) resolve(found);
      });
    }
    service.once('exit', () => reject(new Error(output)));
  });
  return { service, address };
}

/** Reads events from one connection until it ends, or until the signal cuts it. Returns the status. */
async function readEvents(address, id, after, signal, onEvent) {
  const headers = { authorization: `Bearer ${TOKEN}`, ...(after && { 'last-event-id': after }) };
  const request = get(`${address}/v1/jobs/${id}/events`, { headers, agent: false, signal });
  const [answer] = await once(request, 'response');
  let text = '';
  for await (const chunk of answer) {
    const blocks = (text + chunk).split('\n\n');
    text = blocks.pop();
    for (const block of blocks) {
      const [, event, data] = /^id: (.+)\nevent: .+\ndata: (.+)$/.exec(block) ?? [];
      if (event) onEvent(event, JSON.parse(data));
      else if (block.startsWith(':')) onEvent(undefined, { event: 'heartbeat' });
    }
  }
  return answer.statusCode;
}

/** Follows one job to its end over connections that are cut. Counts what came, and what came twice or not at all. */
async function follow(address, id, stopped, isCut, count) {
  let [after, nextPair] = ['', 0];
  const onEvent = (event, data) => {
    count[data.event] = (count[data.event] ?? 0) + 1;
    after = event ?? after;
    if (data.event !== 'pair') return;
    if (data.index !== nextPair) count.wrong++;
    nextPair = data.index + 1;
  };
  while (!stopped.aborted) {
    const cut = AbortSignal.timeout(randomInt(SHORTEST_MS, LONGEST_MS));
    const signal = isCut ? AbortSignal.any([stopped, cut]) : stopped;
    try {
      count.connections++;
      const status = await readEvents(address, id, after, signal, onEvent);
      if (status === 204) return;
      if (status !== 200) throw new Error(`status ${status}`);
    } catch (error) {
      if (signal.aborted) continue;
      count.errors.push(error.message);
      await wait(1000);
    }
  }
}

/** The resident memory in MiB and the seconds of CPU time that a process has used. */
function measure(pid) {
  const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return { rssMb: Math.round(kilobytes / 1024), cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100 };
}

async function heapOf(address) {
  const answer = await fetch(`${address}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const [, bytes] = /^nodejs_heap_size_used_bytes (\S+)/m.exec(await answer.text());
  return Math.round(Number(bytes) / 2 ** 20);
}

/** Returns the memory of the service minute by minute, and what the clients received. */
export async function holdClients({ main, url, place, clients, minutes }) {
  const queue = await BullQueue.open(url, { maxQueued: 1e6 });
  const submit = (more) =>
    queue.submit({ kind: 'check', options: { data: 'none', ...more }, datasets: {}, priority: 50 });
  const worker = await QueueWorker.start({
    ...{
      redis: url,
      concurrency: RUNNING_JOBS,
      lockMs: 30_000,
      run,
      onNote() {},
      freeBytes: () => Number.MAX_SAFE_INTEGER,
    },
    capabilities: { host: '', device: 'cpu', memoryBytes: Number.MAX_SAFE_INTEGER, bases: [] },
    step: async () => ({ next: 'run' }),
  });
  const { service, address } = await startService(main, ['--redis', url, '--store', place]);
  const stop = new AbortController();
  const { signal } = stop;
  setMaxListeners(0, signal);
  const count = { connections: 0, followed: 0, wrong: 0, errors: [] };
  const quiet = await submit({ base: 'that-no-worker-has' });
  /** The jobs that run or wait. One more is submitted for each that ends. */
  const current = [];
  const submitting = Array.from({ length: RUNNING_JOBS }, async (_, slot) => {
    while (!signal.aborted) {
      const { id } = await submit({});
      current[slot] = id;
      for await (const _event of queue.events(id, { signal }));
    }
  });
  while (current.filter(Boolean).length < RUNNING_JOBS) await wait(20);
  const following = Array.from({ length: clients }, async (_, client) => {
    if (client % QUIET_SHARE === 0) return follow(address, quiet.id, signal, false, count);
    while (!signal.aborted) {
      await follow(address, current[client % RUNNING_JOBS], signal, true, count);
      if (!signal.aborted) count.followed++;
      await wait(Math.random() * 1000);
    }
  });
  const samples = [];
  for (let minute = 0; minute <= minutes; minute++) {
    if (minute > 0) await wait(MINUTE_MS);
    samples.push({ minute, ...measure(service.pid), heapMb: await heapOf(address) });
    if (minute % 5 === 0) console.error(JSON.stringify({ ...samples.at(-1), ...count }));
  }
  stop.abort();
  await Promise.all([...submitting, ...following]);
  service.kill('SIGTERM');
  const [code] = await once(service, 'exit');
  await worker[Symbol.asyncDispose]();
  await queue[Symbol.asyncDispose]();
  return { clients, minutes, samples, ...count, exitCode: code };
}

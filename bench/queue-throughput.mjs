// Compares the throughput of the service's queue and worker with that of BullMQ alone.
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { BullQueue } from '../dist/queue/bull-queue.js';
import { QueueWorker } from '../dist/worker/queue-worker.js';

/** Both sides take turns this often, because other programs slow the machine down at times. */
const ROUNDS = 15;
/** Redis writes what it was told to the disk once a second. */
const SETTLE_MS = 1500;
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');
const DATA = { kind: 'check', options: { data: 'metal' }, datasets: {}, priority: 50 };

/**
 * Waits until the submissions, which are not measured, have left nothing to do. In a service another process makes them,
 * so that its worker collects none of their garbage.
 */
async function settle() {
  await wait(SETTLE_MS);
  collectGarbage();
}

/** Measures from the start of the first job to the start of the last one, so that connecting and the end do not count. */
class Clock {
  #started = 0;
  #from = 0;

  constructor(jobs) {
    this.jobs = jobs;
    this.last = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  /** A job of no work. */
  run = async () => {
    this.#started++;
    if (this.#started === 1) this.#from = performance.now();
    if (this.#started === this.jobs) this.resolve((this.jobs - 1) / ((performance.now() - this.#from) / 1000));
    return {};
  };
}

/** The service's jobs have a priority, and identifiers that nobody can guess. */
const asService = () => ({ priority: 101 - DATA.priority, jobId: randomBytes(16).toString('hex') });

async function bareRate(url, jobs, name, optionsOf) {
  const connect = () => new Redis(url, { maxRetriesPerRequest: null });
  const queue = new Queue(name, { connection: connect() });
  await queue.addBulk(Array.from({ length: jobs }, () => ({ name: DATA.kind, data: DATA, opts: optionsOf() })));
  await settle();
  const clock = new Clock(jobs);
  const worker = new Worker(queue.name, clock.run, { connection: connect() });
  const rate = await clock.last;
  await worker.close();
  await queue.close();
  return rate;
}

async function ownRate(url, jobs) {
  const queue = await BullQueue.open(url, { maxQueued: Number.POSITIVE_INFINITY });
  for (let k = 0; k < jobs; k++) await queue.submit(DATA);
  await settle();
  const clock = new Clock(jobs);
  const worker = await QueueWorker.start({
    ...{ redis: url, concurrency: 1, lockMs: 30_000, run: clock.run, onNote() {}, freeBytes: () => 0 },
    capabilities: { host: '', device: 'cpu', memoryBytes: 0, bases: [] },
    step: async () => ({ next: 'run' }),
  });
  const rate = await clock.last;
  while ((await queue.counts()).queued + (await queue.counts()).running > 0);
  await worker[Symbol.asyncDispose]();
  await queue[Symbol.asyncDispose]();
  return rate;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Measures jobs of no work a second, one at a time, of the same data and on the same Redis, which it empties. Returns medians of some rounds. */
export async function compareThroughput(url, jobs) {
  const redis = new Redis(url);
  const sides = {
    bare: (round) => bareRate(url, jobs, `bare-${round}`, () => ({})),
    same: (round) => bareRate(url, jobs, `same-${round}`, asService),
    own: () => ownRate(url, jobs),
  };
  const names = Object.keys(sides);
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const rates = {};
    // Each side has an empty Redis, and each is the first one equally often.
    for (const [k] of names.entries()) {
      const name = names[(round + k) % names.length];
      await redis.flushall();
      rates[name] = await sides[name](round);
    }
    rounds.push(rates);
  }
  redis.disconnect();
  const medianOf = (pick, digits = 0) => Number(median(rounds.map(pick)).toFixed(digits));
  return {
    queueJobs: jobs,
    jobsPerSecond: medianOf(({ own }) => own),
    /** BullMQ alone, with jobs of no options, and with those that the service's jobs have. */
    bareJobsPerSecond: medianOf(({ bare }) => bare),
    bareWithSameOptions: medianOf(({ same }) => same),
    ratio: medianOf(({ bare, own }) => own / bare, 2),
    ratioWithSameOptions: medianOf(({ same, own }) => own / same, 2),
  };
}

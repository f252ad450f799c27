/** The queue in the process: its order, its states, its events, and what a restart finds. */
import { appendFileSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AbortedError, DatasetError } from '../../lib/core/errors.js';
import { EventLog } from '../../lib/queue/event-log.js';
import type {
  AssignedJob,
  Job,
  QueueEvent,
  RunContext,
  RunJob,
  StoredEvent,
  Submission,
} from '../../lib/queue/job-queue.js';
import { MAX_EVENTS } from '../../lib/queue/kept.js';
import { LocalQueue, type LocalQueueOptions } from '../../lib/queue/local-queue.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const scratch = scratchFolder();
const submission = (more: Partial<Submission> = {}): Submission => ({
  ...{ kind: 'check', options: { data: 'tile' }, datasets: { tile: 'd' }, priority: 0 },
  ...more,
});
const endless = AbortSignal.timeout(60_000);

/** Runs jobs that end when the test says so. */
class Runner {
  readonly started: AssignedJob[] = [];
  #context: RunContext | undefined;
  #finish: { resolve(result: object): void; reject(error: unknown): void } | undefined;

  readonly run: RunJob = (job, context) => {
    this.started.push(job);
    this.#context = context;
    return new Promise((resolve, reject) => {
      this.#finish = { resolve, reject };
      if (context.signal.aborted) reject(new AbortedError());
      context.signal.addEventListener('abort', () => reject(new AbortedError()));
    });
  };

  /** Waits until this job is the last one that was started, for the given time. */
  async reached({ id }: Job, times = 1): Promise<void> {
    const starts = () => this.started.filter((job) => job.id === id).length;
    while (this.started.at(-1)?.id !== id || starts() < times) await wait(2);
  }

  emit(event: Parameters<RunContext['onEvent']>[0]): void {
    this.#context?.onEvent(event);
  }

  complete(result: object = { done: true }): void {
    this.#finish?.resolve(result);
  }

  fail(error: unknown): void {
    this.#finish?.reject(error);
  }
}

const errors: unknown[] = [];
const open: LocalQueue[] = [];
let folders = 0;
const describeMachine = async () => ({ host: 'here', device: 'cpu', memoryBytes: 1, bases: ['sd'] });
async function openQueue(
  run: RunJob,
  folder = join(scratch, `${folders++}`),
  more: Partial<LocalQueueOptions> = {},
): Promise<LocalQueue> {
  const onError = (error: unknown) => errors.push(error);
  const queue = await LocalQueue.open({ folder, run, maxQueued: 10, describe: describeMachine, onError, ...more });
  open.push(queue);
  return queue;
}
afterEach(async () => {
  for (const queue of open.splice(0)) await queue[Symbol.asyncDispose]();
  expect(errors.splice(0)).toEqual([]);
});

/** Waits until the job has this state. */
async function reach(queue: LocalQueue, { id }: Job, state: Job['state']): Promise<Job> {
  for (;;) {
    const job = await queue.get(id);
    if (job.state === state) return job;
    await wait(2);
  }
}

async function allEvents(queue: LocalQueue, { id }: Job, after?: string): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of queue.events(id, { after, signal: endless })) events.push(event);
  return events;
}

const progress = (done: number): QueueEvent & { event: 'progress' } => ({
  ...{ event: 'progress', stage: 'train', unit: 'steps', done, total: 9 },
});

describe('LocalQueue', () => {
  it('runs one job at a time, those of a higher priority first, and keeps the result', async () => {
    const runner = new Runner();
    const queue = await openQueue(runner.run);
    const jobs = [];
    for (const priority of [0, 0, 5]) jobs.push(await queue.submit(submission({ priority })));
    const [first, second, urgent] = jobs as [Job, Job, Job];
    await runner.reached(first);
    expect(await queue.counts()).toEqual({ queued: 2, running: 1, completed: 0, failed: 0, cancelled: 0 });
    runner.complete({ pairs: 3 });
    await runner.reached(urgent);
    runner.complete();
    await runner.reached(second);
    runner.complete();
    await reach(queue, second, 'completed');
    expect(runner.started.map(({ id }) => id)).toEqual([first.id, urgent.id, second.id]);
    expect(await queue.get(first.id)).toMatchObject({ state: 'completed', result: { pairs: 3 }, attempts: 1 });
  });

  it('starts a job that is submitted at the moment when the last one ends', async () => {
    const queue = await openQueue(async () => ({}));
    for (let i = 0; i < 20; i++) await reach(queue, await queue.submit(submission()), 'completed');
  });

  it('returns the job of an idempotency key, and refuses the key for another request', async () => {
    const runner = new Runner();
    const queue = await openQueue(runner.run);
    const both = [1, 2].map(() => queue.submit(submission({ idempotencyKey: 'once' })));
    const [first, second] = await Promise.all(both);
    expect(second?.id).toBe(first?.id);
    const other = submission({ idempotencyKey: 'once', options: { data: 'other' } });
    await expectFailure(queue.submit(other), 'ERR_IDEMPOTENCY_CONFLICT', 'once', first?.id as string);
    expect((await queue.counts()).running + (await queue.counts()).queued).toBe(1);
  });

  it('refuses jobs beyond its limit', async () => {
    const queue = await openQueue(new Runner().run, undefined, { maxQueued: 2 });
    await queue.pause();
    for (let i = 0; i < 2; i++) await queue.submit(submission());
    await expectFailure(queue.submit(submission()), 'ERR_QUEUE_FULL', '2 jobs are waiting already');
  });

  it('cancels queued and running jobs, refuses it for ended ones, and runs a cancelled one again', async () => {
    const runner = new Runner();
    const queue = await openQueue(runner.run);
    const running = await queue.submit(submission());
    const queued = await queue.submit(submission());
    await runner.reached(running);
    expect(await queue.cancel(queued.id)).toMatchObject({ state: 'cancelled' });
    await queue.cancel(running.id);
    await reach(queue, running, 'cancelled');
    await expectFailure(queue.cancel(running.id), 'ERR_JOB_STATE', 'it is cancelled');
    await queue.retry(running.id);
    await runner.reached(running, 2);
    await expectFailure(queue.retry(running.id), 'ERR_JOB_STATE', 'it is running');
    runner.complete();
    expect(await reach(queue, running, 'completed')).toMatchObject({ attempts: 2, result: { done: true } });
    expect(runner.started).toHaveLength(2);
    await expectFailure(queue.cancel('0'.repeat(32)), 'ERR_JOB_NOT_FOUND');
  });

  it('keeps the code of a failure, and forgets it at a retry', async () => {
    const runner = new Runner();
    const queue = await openQueue(runner.run);
    const job = await queue.submit(submission());
    await runner.reached(job);
    runner.fail(new DatasetError('tile holds no images'));
    const failed = await reach(queue, job, 'failed');
    expect(failed.error).toEqual({ code: 'ERR_DATASET_INVALID', message: 'tile holds no images' });
    expect((await allEvents(queue, job)).at(-1)?.event).toEqual({ event: 'end', state: 'failed', error: failed.error });
    expect(await queue.retry(job.id)).not.toHaveProperty('error');
  });

  it('retries no job and pauses nothing while its folder cannot be written, as it tells the client', async () => {
    const runner = new Runner();
    const folder = join(scratch, 'not-there');
    const queue = await openQueue(runner.run, folder);
    const job = await queue.submit(submission());
    await runner.reached(job);
    runner.fail(new DatasetError('tile holds no images'));
    const failed = await reach(queue, job, 'failed');
    renameSync(folder, `${folder}-away`);
    writeFileSync(folder, 'no folder');
    await expectFailure(queue.pause(), 'ERR_FILE_ACCESS');
    await expectFailure(queue.retry(job.id), 'ERR_FILE_ACCESS');
    rmSync(folder);
    renameSync(`${folder}-away`, folder);
    const file = join(folder, `${job.id}.json`);
    renameSync(file, `${file}-away`);
    mkdirSync(join(file, 'no file'), { recursive: true });
    await expectFailure(queue.retry(job.id), 'ERR_FILE_ACCESS'); // Its log could be written.
    rmSync(file, { recursive: true });
    renameSync(`${file}-away`, file);
    expect(await queue.isPaused()).toBe(false);
    expect(await queue.get(job.id)).toEqual(failed);
    expect((await allEvents(queue, job)).at(-1)?.event.event).toBe('end');
    expect(runner.started).toHaveLength(1);
    await queue.retry(job.id);
    await runner.reached(job);
  });

  it('yields events as they come and after any of them, to readers that come early, late and again', async () => {
    const runner = new Runner();
    const queue = await openQueue(runner.run);
    const job = await queue.submit(submission());
    const early = allEvents(queue, job);
    await runner.reached(job);
    runner.emit(progress(1));
    runner.emit({ event: 'file', path: 'a.png' });
    runner.complete();
    const events = await early;
    expect(events.map(({ event }) => event)).toEqual([
      { event: 'state', state: 'queued' },
      { event: 'state', state: 'running' },
      progress(1),
      { event: 'file', path: 'a.png' },
      { event: 'end', state: 'completed', result: { done: true } },
    ]);
    expect(await allEvents(queue, job)).toEqual(events);
    for (const [index, { id }] of events.entries()) {
      expect(await allEvents(queue, job, id)).toEqual(events.slice(index + 1));
    }
    await expectFailure(allEvents(queue, job, 'x'), 'ERR_INVALID_OPTION', '"x"');
  });

  it('ends the events when the reader goes away', async () => {
    const queue = await openQueue(new Runner().run);
    const job = await queue.submit(submission());
    const reader = new AbortController();
    const seen: string[] = [];
    for await (const { event } of queue.events(job.id, { signal: reader.signal })) {
      seen.push(event.event);
      if (seen.length === 2) setTimeout(() => reader.abort(), 5);
    }
    expect(seen).toEqual(['state', 'state']);
  });

  it('thins the progress out, but not its last event', async () => {
    const runner = new Runner();
    const queue = await openQueue(runner.run);
    const job = await queue.submit(submission());
    await runner.reached(job);
    for (let done = 1; done <= 9; done++) runner.emit(progress(done));
    runner.complete();
    const done = (await allEvents(queue, job)).flatMap(({ event }) => (event.event === 'progress' ? event.done : []));
    expect(done).toEqual([1, 9]);
  });

  it('pauses before the next job, and goes on', async () => {
    const runner = new Runner();
    const queue = await openQueue(runner.run);
    await queue.pause();
    const job = await queue.submit(submission());
    await wait(20);
    expect(runner.started).toEqual([]);
    expect(await queue.isPaused()).toBe(true);
    await queue.resume();
    await runner.reached(job);
  });

  it('lists the newest jobs first, in pages and by state', async () => {
    const queue = await openQueue(new Runner().run);
    await queue.pause();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift((await queue.submit(submission())).id);
    const found: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await queue.list({ limit: 2, after });
      expect(page.jobs.length).toBeLessThanOrEqual(2);
      found.push(...page.jobs.map(({ id }) => id));
      after = page.next;
      if (after === undefined) break;
    }
    expect(found).toEqual(ids);
    await queue.cancel(ids[1] as string);
    const cancelled = await queue.list({ limit: 9, state: 'cancelled' });
    expect(cancelled.jobs.map(({ id }) => id)).toEqual([ids[1]]);
    expect(await queue.list({ limit: 9, kind: 'learn' })).toEqual({ jobs: [] });
    await expectFailure(queue.list({ limit: 1, after: 'x' }), 'ERR_INVALID_OPTION');
  });

  it('hands an interrupted job back, and a restart continues it and knows the ended ones', async () => {
    const folder = join(scratch, 'restart');
    const before = new Runner();
    const queue = await openQueue(before.run, folder);
    const ended = await queue.submit(submission());
    await before.reached(ended);
    before.complete({ pairs: 1 });
    const interrupted = await queue.submit(submission({ options: { data: 'cut' } }));
    await before.reached(interrupted);
    const waiting = await queue.submit(submission());
    await queue[Symbol.asyncDispose]();
    expect(await queue.get(interrupted.id)).toMatchObject({ state: 'queued', attempts: 1 });

    appendFileSync(join(folder, `${interrupted.id}.events.jsonl`), '{"event":"prog'); // A killed process leaves this.
    const after = new Runner();
    const next = await openQueue(after.run, folder);
    expect(await next.get(ended.id)).toMatchObject({ state: 'completed', result: { pairs: 1 } });
    expect((await allEvents(next, ended)).at(-1)?.event).toMatchObject({ event: 'end', state: 'completed' });
    await after.reached(interrupted);
    expect(after.started[0]).toMatchObject({ id: interrupted.id, attempts: 2, options: { data: 'cut' } });
    after.complete();
    await after.reached(waiting);
    const states = (await allEvents(next, interrupted)).map(({ event }) => 'state' in event && event.state);
    expect(states).toEqual(['queued', 'running', 'queued', 'running', 'completed']);
  });

  it('stays paused over a restart', async () => {
    const folder = join(scratch, 'paused');
    const queue = await openQueue(new Runner().run, folder);
    await queue.pause();
    const job = await queue.submit(submission());
    await queue[Symbol.asyncDispose]();
    const runner = new Runner();
    const next = await openQueue(runner.run, folder);
    await wait(20);
    expect([await next.isPaused(), runner.started]).toEqual([true, []]);
    await next.resume();
    await runner.reached(job);
    await next[Symbol.asyncDispose]();
    expect(await (await openQueue(runner.run, folder)).isPaused()).toBe(false);
  });

  it('forgets the oldest ended jobs with their files beyond the number that is kept, and those of a month ago', async () => {
    const folder = join(scratch, 'kept');
    const queue = await openQueue(async () => ({}), folder, { maxEnded: 2 });
    const jobs: Job[] = [];
    for (let i = 0; i < 4; i++) {
      jobs.push(await queue.submit(submission()));
      await reach(queue, jobs.at(-1) as Job, 'completed');
    }
    const ids = jobs.map(({ id }) => id);
    while ((await queue.list({ limit: 9 })).jobs.length > 2) await wait(2);
    expect((await queue.list({ limit: 9 })).jobs.map(({ id }) => id)).toEqual([ids[3], ids[2]]);
    await queue[Symbol.asyncDispose]();
    expect(readdirSync(folder).filter((name) => name.includes(ids[0] as string))).toEqual([]);
    vi.useFakeTimers({ now: Date.now() + 31 * 24 * 3600 * 1000, toFake: ['Date'] });
    try {
      expect(await (await openQueue(async () => ({}), folder)).list({ limit: 9 })).toEqual({ jobs: [] });
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps the newest events of a job in memory, and counts those before', async () => {
    const file = join(scratch, 'long.events.jsonl');
    const lines = Array.from({ length: 2 * MAX_EVENTS }, (_, i) => `{"event":"file","path":"${i}.png"}\n`);
    writeFileSync(file, lines.join(''));
    const log = await EventLog.open(file);
    await log.append({ event: 'end', state: 'completed' });
    const events: StoredEvent[] = [];
    for await (const event of log.after(undefined, endless)) events.push(event);
    expect(events).toHaveLength(MAX_EVENTS + 1);
    expect(events[0]).toEqual({
      id: String(MAX_EVENTS + 1),
      event: { event: 'file', path: `${MAX_EVENTS}.png` },
    });
    expect(events.at(-1)).toEqual({ id: String(2 * MAX_EVENTS + 1), event: { event: 'end', state: 'completed' } });
  });

  it('tells that this machine is the only worker, and what it does', async () => {
    const runner = new Runner();
    const queue = await openQueue(runner.run);
    expect(await queue.workers()).toMatchObject([{ host: 'here', bases: ['sd'], jobs: [] }]);
    const job = await queue.submit(submission());
    await runner.reached(job);
    expect(await queue.workers()).toMatchObject([{ device: 'cpu', jobs: [job.id] }]);
  });

  it('belongs to one process at a time', async () => {
    const folder = join(scratch, 'alone');
    await openQueue(new Runner().run, folder);
    await expectFailure(openQueue(new Runner().run, folder), 'ERR_BUSY', folder);
  });
});

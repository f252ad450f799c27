import { setTimeout as wait } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AbortedError, DatasetError, StoreError } from '../../lib/core/errors.js';
import { BullQueue } from '../../lib/queue/bull-queue.js';
import type { Job, QueueEvent, RunJob, Submission } from '../../lib/queue/job-queue.js';
import { canRun, hasMemory, type Needs, needsOf, queueOf } from '../../lib/queue/placement.js';
import { keys, PREFIX } from '../../lib/queue/redis.js';
import { QueueWorker, type QueueWorkerSettings } from '../../lib/worker/queue-worker.js';
import { expectFailure } from '../helpers/failures.js';
import { RedisServer } from '../helpers/redis.js';
import { scratchFolder } from '../helpers/scratch.js';
import { ended, untilEvent } from '../helpers/workers.js';

let redis: RedisServer;
let queue: BullQueue;
let workers: QueueWorker[] = [];
const notes: string[] = [];

beforeAll(async () => {
  redis = await RedisServer.start(scratchFolder(), 'secret');
});
afterEach(async () => {
  for (const worker of workers) await worker[Symbol.asyncDispose]();
  workers = [];
  await queue[Symbol.asyncDispose]();
  const client = new Redis(redis.url);
  await client.flushall();
  client.disconnect();
  notes.length = 0;
});
afterAll(() => redis.stop());

const open = async (maxQueued = 100) => {
  queue = await BullQueue.open(redis.url, { maxQueued });
};
const submit = (options: Record<string, unknown> = {}, more: Partial<Submission> = {}) =>
  queue.submit({ kind: 'check', options: { data: 'metal', ...options }, datasets: {}, priority: 50, ...more });
const capabilities = { host: 'here', device: 'cpu', memoryBytes: 8e9, bases: ['sd'] };
async function work(run: RunJob, more: Partial<QueueWorkerSettings> = {}): Promise<QueueWorker> {
  const worker = await QueueWorker.start({
    ...{ redis: redis.url, capabilities, concurrency: 1, lockMs: 1000, retryAfterMs: 10, run },
    freeBytes: () => 8e9,
    step: async () => ({ next: 'run' }),
    onNote: (note) => notes.push(note),
    ...more,
  });
  workers.push(worker);
  return worker;
}
/** A job that runs until it is told to end. */
const untilAborted: RunJob = (_, { signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new AbortedError())));
async function eventsOf(id: string, after?: string) {
  const events: { id: string; event: QueueEvent }[] = [];
  for await (const one of queue.events(id, { after, signal: AbortSignal.timeout(20_000) })) events.push(one);
  return events;
}

describe('the queue on Redis', () => {
  it('refuses the identifier of an event that is none, before an answer begins', async () => {
    await open();
    const follow = () => queue.events('0'.repeat(32), { after: '5', signal: AbortSignal.timeout(1000) });
    expect(follow).toThrow('Expected the identifier of an event but received "5"');
  });

  it('runs jobs by their priority, tells of their events, and continues after any of them', async () => {
    await open();
    const order: unknown[] = [];
    const [low, high] = [await submit({ resolution: 64 }, { priority: 1 }), await submit({}, { priority: 99 })];
    expect(low).toMatchObject({
      state: 'queued',
      attempts: 0,
      kind: 'check',
      options: { data: 'metal', resolution: 64 },
    });
    await work(async ({ id }, { onEvent }) => {
      order.push(id);
      onEvent({ event: 'note', message: 'hello' });
      return { problems: 0 };
    });
    expect(await ended(queue, low.id)).toMatchObject({ state: 'completed', result: { problems: 0 }, attempts: 1 });
    expect(order).toEqual([high.id, low.id]);
    const events = await eventsOf(low.id);
    expect(events.map(({ event }) => event)).toEqual([
      { event: 'state', state: 'queued' },
      { event: 'state', state: 'running' },
      { event: 'note', message: 'hello' },
      { event: 'end', state: 'completed', result: { problems: 0 } },
    ]);
    expect(await eventsOf(low.id, events[1]?.id)).toEqual(events.slice(2));
    expect(await eventsOf(low.id, events[3]?.id)).toEqual([]);
    await expect(eventsOf(low.id, 'x')).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
  });

  it('gives a second submission with the same key the same job, and refuses other options', async () => {
    await open();
    const first = await submit({}, { idempotencyKey: 'key' });
    expect(await submit({}, { idempotencyKey: 'key' })).toEqual(first);
    await expectFailure(submit({ resolution: 32 }, { idempotencyKey: 'key' }), 'ERR_IDEMPOTENCY_CONFLICT');
  });

  it('accepts no more jobs than may wait', async () => {
    await open(2);
    await submit();
    await submit();
    await expectFailure(submit(), 'ERR_QUEUE_FULL');
    expect(await queue.counts()).toMatchObject({ queued: 2, running: 0 });
  });

  it('lists jobs in pages, the newest first, and by state and kind', async () => {
    await open();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.unshift((await submit()).id);
      await wait(2); // Jobs of the same millisecond have no order.
    }
    const first = await queue.list({ limit: 2 });
    expect(first.jobs.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const second = await queue.list({ limit: 2, after: first.next });
    expect(second.jobs.map(({ id }) => id)).toEqual(ids.slice(2, 4));
    const last = await queue.list({ limit: 2, after: second.next });
    expect(last).toMatchObject({ jobs: [{ id: ids[4] }] });
    expect(last.next).toBeUndefined();
    expect((await queue.list({ limit: 9, kind: 'learn' })).jobs).toEqual([]);
    expect((await queue.list({ limit: 9, state: 'queued' })).jobs.length).toBe(5);
    await expectFailure(queue.list({ limit: 2, after: 'f'.repeat(32) }), 'ERR_INVALID_OPTION');
    await expectFailure(queue.get('f'.repeat(32)), 'ERR_JOB_NOT_FOUND');
  });

  it('starts nothing while it is paused, whichever queue a job belongs to', async () => {
    await open();
    await queue.pause();
    const job = await submit({ base: 'sd' });
    const ran: string[] = [];
    await work(async ({ id }) => ({ ran: ran.push(id) }));
    await wait(1500);
    expect(ran).toEqual([]);
    expect(await queue.isPaused()).toBe(true);
    await queue.resume();
    expect(await ended(queue, job.id)).toMatchObject({ state: 'completed' });
  });

  it('cancels queued and running jobs, and takes them up again', async () => {
    await open();
    const [running, queued] = [await submit(), await submit()];
    const heard: string[] = [];
    queue.onEnd(({ id }) => heard.push(id));
    await work(untilAborted);
    await untilEvent(queue, running.id, (event) => event.event === 'state' && event.state === 'running');
    expect(await queue.cancel(queued.id)).toMatchObject({ state: 'cancelled' });
    await queue.cancel(running.id);
    expect(await ended(queue, running.id)).toMatchObject({ state: 'cancelled' });
    await expectFailure(queue.cancel(running.id), 'ERR_JOB_STATE');
    await workers.pop()?.[Symbol.asyncDispose]();
    await queue.retry(queued.id);
    expect(await queue.retry(running.id)).toMatchObject({ state: 'queued' });
    await work(async () => ({}));
    for (const { id } of [queued, running]) {
      await untilEvent(queue, id, (event) => event.event === 'end' && event.state === 'completed');
      expect(await queue.get(id)).toMatchObject({ state: 'completed' });
    }
    await expectFailure(queue.retry(running.id), 'ERR_JOB_STATE');
    expect(new Set(heard)).toEqual(new Set([running.id, queued.id]));
  });

  it('tries again what may pass, and keeps the reason of what does not', async () => {
    await open();
    const [passing, wrong] = [await submit(), await submit({ resolution: 32 })];
    let starts = 0;
    await work(async ({ options }) => {
      if (options.resolution === 32) throw new DatasetError('the mask is empty');
      starts++;
      if (starts < 3) throw new StoreError('the bucket does not answer', 'ERR_STORE_ACCESS');
      return {};
    });
    expect(await ended(queue, passing.id)).toMatchObject({ state: 'completed', attempts: 3 });
    const failed = await ended(queue, wrong.id);
    expect(failed).toMatchObject({ state: 'failed', attempts: 1 });
    expect(failed.error).toEqual({ code: 'ERR_DATASET_INVALID', message: 'the mask is empty' });
    expect((await eventsOf(wrong.id)).at(-1)?.event).toEqual({ event: 'end', state: 'failed', error: failed.error });
  });

  it('tells which workers there are, and what they do', async () => {
    await open();
    const { id } = await submit();
    const worker = await work(untilAborted);
    await untilEvent(queue, id, (event) => event.event === 'state' && event.state === 'running');
    expect(await queue.workers()).toMatchObject([{ id: worker.id, host: 'here', device: 'cpu' }]);
    workers = [];
    await worker[Symbol.asyncDispose]();
    expect(await queue.workers()).toEqual([]);
  });

  it('hands a job back when its worker stops, and another one continues it', async () => {
    await open();
    const { id } = await submit();
    const first = await work(untilAborted);
    await untilEvent(queue, id, (event) => event.event === 'state' && event.state === 'running');
    workers = [];
    await first[Symbol.asyncDispose]();
    expect(await queue.get(id)).toMatchObject({ state: 'queued' });
    await work(async () => ({}));
    expect(await ended(queue, id)).toMatchObject({ state: 'completed', attempts: 2 });
  });

  it('goes on after Redis was killed and started again, and loses no job', async () => {
    await open();
    const jobs: Job[] = [];
    for (let i = 0; i < 6; i++) jobs.push(await submit({ resolution: 32 + i }));
    const done: string[] = [];
    await work(async ({ id }) => {
      await wait(100);
      done.push(id);
      return {};
    });
    await ended(queue, (jobs[1] as Job).id);
    await redis.stop('SIGKILL');
    await wait(300);
    await redis.start();
    for (const { id } of jobs) {
      for (;;) {
        const job = await queue.get(id).catch(() => undefined); // The first commands after the restart may fail.
        if (job?.state === 'completed') break;
        await wait(100);
      }
    }
    expect(new Set(done).size).toBe(6);
    expect((await queue.counts()).completed).toBe(6);
  });

  it('gives a job whose worker went silent to another, and the first one writes nothing more', async () => {
    await open();
    const { id } = await submit();
    let isOwner: (() => Promise<boolean>) | undefined;
    let release = () => {};
    const silent = await work(async (_, context) => {
      isOwner = context.isOwner;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return { from: 'the silent one' };
    });
    await untilEvent(queue, id, (event) => event.event === 'state' && event.state === 'running');
    const client = new Redis(redis.url);
    await client.del(`${PREFIX}:jobs:${id}:lock`); // This is what the expiry of the lock does.
    await work(async () => ({ from: 'the other' }));
    expect(await ended(queue, id)).toMatchObject({ state: 'completed', result: { from: 'the other' } });
    expect(await isOwner?.()).toBe(false);
    release();
    await silent[Symbol.asyncDispose]();
    workers = workers.filter((one) => one !== silent);
    expect(await queue.get(id)).toMatchObject({ result: { from: 'the other' } });
    client.disconnect();
  });

  it('fails a job that its workers never survive', async () => {
    await open();
    const { id } = await submit();
    const client = new Redis(redis.url);
    await client.hset(`${PREFIX}:jobs:${id}`, 'defa', 'job stalled more than allowable limit'); // BullMQ marks it so.
    client.disconnect();
    await work(async () => ({}));
    expect(await ended(queue, id)).toMatchObject({ state: 'failed', error: { code: 'ERR_WORKER_LOST' } });
  });

  it('fails jobs whose data nobody of the service has written, and goes on', async () => {
    await open();
    const client = new Redis(redis.url);
    const bull = new Queue('jobs', { connection: client, prefix: PREFIX });
    const id = 'a'.repeat(32);
    const valid = { kind: 'check', options: { data: 'metal' }, datasets: {}, priority: 50 };
    const hostile = [null, 7, {}, { ...valid, kind: '__proto__' }, { ...valid, options: [] }, { ...valid, more: 1 }];
    hostile.push({ ...valid, datasets: { '../x': 'f'.repeat(64) } }, { ...valid, datasets: { metal: '../../etc' } });
    for (const [i, data] of hostile.entries()) await bull.add('check', data, { jobId: `${i}`.padStart(32, '0') });
    await bull.add('check', valid, { jobId: 'not-an-identifier' });
    await bull.add('check', valid, { jobId: id });
    await client.sadd(keys.queues, 'jobs', 'base.../../etc', '');
    const ran: string[] = [];
    await work(async (job) => ({ ran: ran.push(job.id) }));
    for (let i = 0; i < 100 && ran.length === 0; i++) await wait(100);
    expect(ran).toEqual([id]);
    const failed = await bull.getFailed();
    expect(failed.length).toBe(hostile.length + 1);
    for (const { failedReason } of failed) expect(failedReason).toContain('ERR_INVALID_OPTION');
    await bull.close();
    client.disconnect();
  });

  it('says where Redis cannot be reached, and never with the password', async () => {
    await open();
    const wrong = redis.url.replace('secret', 'wrong');
    await expectFailure(
      BullQueue.open(wrong, { maxQueued: 1 }),
      'ERR_QUEUE_UNAVAILABLE',
      'Cannot reach Redis at redis://127',
    );
    await expect(BullQueue.open(wrong, { maxQueued: 1 })).rejects.not.toThrow(/wrong@/);
    for (const url of ['', 'localhost:6379', 'http://:secret@host', 'redis'])
      await expectFailure(BullQueue.open(url, { maxQueued: 1 }), 'ERR_INVALID_OPTION', 'redis://HOST:PORT');
  });
});

it('a worker takes only jobs whose base, device and memory it has', () => {
  const needs = (options: Record<string, unknown>, bytes = 0) => needsOf(queueOf({ options }, bytes)) as Needs;
  const can = (options: Record<string, unknown>, bytes?: number) => canRun(needs(options, bytes), capabilities);
  expect([can({}), can({ base: 'sd' }), can({ device: 'cpu' }), can({ base: 'sd' }, 7.9e9)]).not.toContain(false);
  expect([can({ base: 'other' }), can({ device: 'cuda:1' }), can({}, 8.1e9)]).not.toContain(true);
  const gpu = { ...capabilities, device: 'NVIDIA H200' };
  expect(canRun(needs({ base: 'sd', device: 'cuda' }, 99e9), gpu)).toBe(true);
  expect(hasMemory(needs({}, 5e9), capabilities, 4e9)).toBe(false);
  expect(hasMemory(needs({}, 5e9), gpu, 4e9)).toBe(true);
  expect(needsOf('somebody-elses')).toBeUndefined();
});

it('estimates of all sizes make few queues, which never promise less than a job needs', () => {
  const sizes = Array.from({ length: 4000 }, (_, i) => (i + 1) * 2.5e8);
  const names = new Set(sizes.map((bytes) => queueOf({ options: {} }, bytes)));
  expect(names.size).toBeLessThan(80);
  for (const bytes of sizes.filter((one) => one > 2e9)) {
    const { memoryBytes } = needsOf(queueOf({ options: {} }, bytes)) as Needs;
    expect(memoryBytes).toBeGreaterThanOrEqual(bytes);
    expect(memoryBytes).toBeLessThan(bytes * 1.13 + 1e9);
  }
});

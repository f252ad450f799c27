/** What the queue on Redis keeps of jobs, forgets, and counts anew. */
import { Redis } from 'ioredis';
import { describe, expect, it, vi } from 'vitest';
import { DatasetError } from '../../lib/core/errors.js';
import { BullQueue } from '../../lib/queue/bull-queue.js';
import type { Job, RunJob } from '../../lib/queue/job-queue.js';
import { PREFIX } from '../../lib/queue/redis.js';
import { expectFailure } from '../helpers/failures.js';
import { TestQueue, untilAborted } from '../helpers/queue.js';
import { ended, untilEvent } from '../helpers/workers.js';

const test = TestQueue.use();
const DAY_MS = 24 * 3600 * 1000;
const isRunning = (event: object) => 'state' in event && event.state === 'running';

describe('the queue on Redis', () => {
  it('forgets jobs 30 days after their end, with everything that belongs to them, and keeps the others', async () => {
    const queue = await test.open();
    const [old, waiting] = [await test.submit(), await test.submit({ base: 'other' })];
    await test.work(async () => ({}));
    await ended(queue, old.id);
    expect(await queue.forgetEnded(Date.now() + 29 * DAY_MS)).toBe(0);
    expect(await queue.get(old.id)).toMatchObject({ state: 'completed' });
    expect(await queue.forgetEnded(Date.now() + 31 * DAY_MS)).toBe(1);
    await expectFailure(queue.get(old.id), 'ERR_JOB_NOT_FOUND');
    expect((await queue.list({ limit: 9 })).jobs.map(({ id }) => id)).toEqual([waiting.id]);
    const left = await test.client.keys(`*${old.id}*`);
    expect(left).toEqual([]);
    expect(await test.client.zcard(`${PREFIX}:jobs`)).toBe(1);
    expect(await test.client.hlen(`${PREFIX}:queue-of-job`)).toBe(1);
  });

  it('forgets nothing because the clock of one machine is wrong', async () => {
    const queue = await test.open();
    const { id } = await test.submit();
    await test.work(async () => ({}));
    await ended(queue, id);
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 60 * DAY_MS);
    expect(await queue.forgetEnded().finally(() => clock.mockRestore())).toBe(0);
    expect(await queue.get(id)).toMatchObject({ state: 'completed' });
  });

  it('counts cancelled jobs apart from failed and waiting ones, wherever they were cancelled', async () => {
    const queue = await test.open();
    const [early, running, failing] = [await test.submit(), await test.submit(), await test.submit()];
    const counts = async () => {
      const { queued, failed, cancelled } = await queue.counts();
      return { queued, failed, cancelled };
    };
    await queue.cancel(early.id);
    expect(await counts()).toEqual({ queued: 2, failed: 0, cancelled: 1 });
    const run: RunJob = (job, context) =>
      job.id === running.id ? untilAborted(job, context) : Promise.reject(new DatasetError('no image'));
    await test.work(run);
    await untilEvent(queue, running.id, isRunning);
    while ((await queue.get(running.id)).state !== 'running') await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await counts()).toEqual({ queued: 1, failed: 0, cancelled: 1 });
    await queue.cancel(running.id);
    expect(await ended(queue, failing.id)).toMatchObject({ state: 'failed' });
    expect(await counts()).toEqual({ queued: 0, failed: 1, cancelled: 2 });
    await queue.pause();
    for (const { id } of [early, running]) await queue.retry(id);
    expect(await counts()).toEqual({ queued: 2, failed: 1, cancelled: 0 });
    await queue.resume();
    expect(await ended(queue, early.id)).toMatchObject({ state: 'failed' });
    await queue.cancel(running.id);
    await ended(queue, running.id);
    await queue.forgetEnded(Date.now() + 31 * DAY_MS);
    expect(await counts()).toEqual({ queued: 0, failed: 0, cancelled: 0 });
  });

  it('warns jobs once whose base or GPU no worker has, and not those of others', async () => {
    const queue = await test.open();
    const waiting = await test.submit({ base: 'other' });
    const gpu = await test.submit({ device: 'cuda:0' });
    const both = await test.submit({ base: 'other', device: 'cuda' });
    const own = await test.submit({ base: 'sd' });
    await queue.pause();
    await test.work(async () => ({}), { checkMs: 20 });
    const warned = async ({ id }: Job) =>
      (await untilEvent(queue, id, ({ event }) => event === 'warning')) as { message: string };
    expect((await warned(waiting)).message).toBe('No worker has the base other: the job waits until one is started');
    expect((await warned(gpu)).message).toBe('No worker has a GPU: the job waits until one is started');
    expect((await warned(both)).message).toContain('No worker has the base other and a GPU');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await test.client.xlen(`${PREFIX}:events:${waiting.id}`)).toBe(2);
    expect(await test.client.xlen(`${PREFIX}:events:${own.id}`)).toBe(1);
  });

  it('warns all jobs that wait, however many there are', async () => {
    const queue = await test.open({ maxQueued: 1200 });
    await queue.pause();
    const jobs = await Promise.all(Array.from({ length: 1005 }, () => test.submit({ base: 'other' })));
    await queue.warnOfMissingWorkers();
    await queue.warnOfMissingWorkers();
    const lengths = await Promise.all(jobs.map(({ id }) => test.client.xlen(`${PREFIX}:events:${id}`)));
    expect(new Set(lengths)).toEqual(new Set([2]));
  });

  it('counts jobs that were cancelled while they waited among those that may wait', async () => {
    const queue = await test.open({ maxQueued: 2 });
    for (let i = 0; i < 2; i++) await queue.cancel((await test.submit()).id);
    await expectFailure(test.submit(), 'ERR_QUEUE_FULL');
    const { id } = await queue.list({ limit: 1 }).then(({ jobs }) => jobs[0] as Job);
    await test.work(async () => ({}));
    while ((await queue.get(id)).finished === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await test.submit()).toMatchObject({ state: 'queued' });
  });

  it('counts a cancelled job as waiting again when it is retried after its events have expired', async () => {
    const queue = await test.open();
    const { id } = await test.submit();
    await queue.cancel(id);
    await test.client.del(`${PREFIX}:events:${id}`);
    await queue.retry(id);
    expect(await queue.counts()).toMatchObject({ queued: 1, cancelled: 0 });
  });

  it('is not asked any more by a worker that has ended', async () => {
    await test.open();
    for (let delay = 0; delay < 12; delay++) {
      const worker = await test.work(async () => ({}), { checkMs: 1 });
      await new Promise((resolve) => setTimeout(resolve, delay));
      await test.stop(worker);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(test.notes).toEqual([]);
  });

  it('counts the workers that a job has lost anew when the job is retried', async () => {
    const queue = await test.open();
    const { id } = await test.submit();
    const job = `${PREFIX}:jobs:${id}`;
    await test.client.hset(job, 'stc', 20, 'defa', 'job stalled more than allowable limit'); // BullMQ does so.
    const first = await test.work(async () => ({}));
    expect(await ended(queue, id)).toMatchObject({ state: 'failed', error: { code: 'ERR_WORKER_LOST' } });
    await test.stop(first);
    await queue.retry(id);
    let runs = 0;
    const run: RunJob = (...job) => (++runs === 1 ? untilAborted(...job) : Promise.resolve({ run: runs }));
    await test.work(run);
    await untilEvent(queue, id, isRunning);
    while ((await queue.get(id)).state !== 'running') await new Promise((resolve) => setTimeout(resolve, 50));
    await test.client.del(`${job}:lock`); // The worker is lost, as far as the others see. Any of them takes the job.
    await test.work(run);
    while ((await queue.get(id)).finished === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await queue.get(id)).toMatchObject({ state: 'completed', result: { run: 2 } });
  });

  it('counts the workers that a job has lost from its newest work on', async () => {
    const queue = await test.open();
    const { id } = await test.submit();
    const job = `${PREFIX}:jobs:${id}`;
    await test.client.hset(job, 'stc', 19);
    const counts: (string | null)[] = [];
    await test.work(async (_, { onWorkKept }) => {
      counts.push(await test.client.hget(job, 'stc'));
      onWorkKept?.();
      while ((await test.client.hget(job, 'stc')) !== null) await new Promise((resolve) => setTimeout(resolve, 10));
      return {};
    });
    expect(await ended(queue, id)).toMatchObject({ state: 'completed' });
    expect(counts).toEqual(['19']);
  });

  it('starts the jobs of a queue that is new in the moment in which all are resumed', async () => {
    const queue = await test.open();
    await queue.pause();
    const client = new Redis(test.server.url);
    const exists = client.exists.bind(client) as (...names: string[]) => Promise<number>;
    let isFirst = true;
    client.exists = (async (...names: string[]) => {
      const found = await exists(...names);
      if (isFirst) await queue.resume(); // Between the question whether the queue is paused and what follows from it.
      isFirst = false;
      return found;
    }) as typeof client.exists;
    const other = new BullQueue(client, { maxQueued: 9 });
    const { id } = await other.submit({ kind: 'check', options: { base: 'sd' }, datasets: {}, priority: 50 });
    await other[Symbol.asyncDispose]();
    expect(isFirst).toBe(false);
    await test.work(async () => ({}));
    expect(await ended(queue, id)).toMatchObject({ state: 'completed' });
  });

  it('tells once of the end of a job that was cancelled in the queue', async () => {
    const queue = await test.open();
    const [cancelled, next] = [await test.submit({}, { priority: 9 }), await test.submit({}, { priority: 1 })];
    const heard: string[] = [];
    queue.onEnd(({ id }) => heard.push(id));
    await queue.cancel(cancelled.id);
    await test.work(async () => ({}));
    await ended(queue, next.id);
    expect((await test.eventsOf(cancelled.id)).map(({ event }) => event)).toEqual(['state', 'end']);
    expect(heard.filter((id) => id === cancelled.id)).toHaveLength(1);
  });
});

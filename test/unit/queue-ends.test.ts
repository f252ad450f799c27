/** How jobs of the queue on Redis end, what is told of it, and when a failed one is tried again. */
import { setTimeout as wait } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { describe, expect, it } from 'vitest';
import { DatasetError, type DualAnoDiffError, StoreError } from '../../lib/core/errors.js';
import { BullQueue } from '../../lib/queue/bull-queue.js';
import type { JobData } from '../../lib/queue/job-data.js';
import { appendEvent, appendEvents } from '../../lib/queue/job-events.js';
import type { QueueEvent } from '../../lib/queue/job-queue.js';
import { PREFIX } from '../../lib/queue/redis.js';
import { failJob } from '../../lib/worker/fail-job.js';
import { TestQueue } from '../helpers/queue.js';
import { ended } from '../helpers/workers.js';

const test = TestQueue.use();
const QUEUED: QueueEvent = { event: 'state', state: 'queued' };
const RUNNING: QueueEvent = { event: 'state', state: 'running' };
const COMPLETED: QueueEvent = { event: 'end', state: 'completed', result: {} };
const CANCELLED: QueueEvent = { event: 'end', state: 'cancelled' };
const FAILED: QueueEvent = { event: 'end', state: 'failed', error: { code: 'ERR_BUSY', message: 'two\nlines' } };
const NOTE: QueueEvent = { event: 'note', message: 'from a worker\nthat was cut off' };
const PROGRESS: QueueEvent = { event: 'progress', stage: 'train', done: 1, total: 2, unit: 'steps' };

/** The start of a job that ends at once may be left out. */
const isNoStart = (event: QueueEvent) => event.event !== 'state' || event.state !== 'running';

/** A worker that tells of nothing. */
const bullWorker = () =>
  new Worker<JobData>('jobs', null, {
    ...{ connection: { port: test.server.port, maxRetriesPerRequest: null }, prefix: PREFIX, autorun: false },
  });
const jobKey = (id: string) => `${PREFIX}:jobs:${id}`;

/** What the stream of a job has, whatever state the job is in. */
async function streamOf(id: string): Promise<QueueEvent[]> {
  const entries = await test.client.xrange(`${PREFIX}:events:${id}`, '-', '+');
  return entries.map(([, fields]) => JSON.parse(fields[1] as string) as QueueEvent);
}

describe('a failed job in Redis', () => {
  it('has its reason, and nothing of the machine that ran it', async () => {
    const queue = await test.open();
    const [passing, unexpected] = [await test.submit(), await test.submit({ resolution: 32 })];
    await test.work(async ({ options }) => {
      if (options.resolution === 32) throw new TypeError('x is not a function');
      throw new StoreError('the bucket does not answer', 'ERR_STORE_ACCESS');
    });
    expect(await ended(queue, passing.id)).toMatchObject({
      state: 'failed',
      attempts: 3,
      error: { code: 'ERR_STORE_ACCESS', message: 'the bucket does not answer' },
    });
    expect(await ended(queue, unexpected.id)).toMatchObject({ state: 'failed', error: { code: 'ERR_UNEXPECTED' } });
    for (const { id } of [passing, unexpected]) {
      const kept = await test.client.hgetall(jobKey(id));
      expect(kept.failedReason).toContain('ERR_');
      expect(kept.stacktrace).toBe('[]');
      const all = JSON.stringify([kept, await streamOf(id)]);
      expect(all).not.toContain(process.cwd());
      expect(all).not.toMatch(/\bat .*:\d+:\d+/);
    }
  });

  it('is tried again after five seconds and then after ten, and has failed after that', async () => {
    const queue = await test.open();
    const { id } = await test.submit();
    const attempt = async () => {
      const worker = bullWorker();
      const job = await worker.getNextJob('token', { block: false });
      if (!job) throw new Error('there is no job');
      const isTriedAgain = await failJob(job, 'token', { code: 'ERR_BUSY', message: 'no' }, { isFinal: false });
      const delay = await test.client.hget(jobKey(id), 'delay');
      if (isTriedAgain) await job.promote();
      await worker.close();
      return { isTriedAgain, delay: Number(delay) };
    };
    expect(await attempt()).toEqual({ isTriedAgain: true, delay: 5000 });
    expect(await queue.get(id)).toMatchObject({ state: 'queued' });
    expect(await attempt()).toEqual({ isTriedAgain: true, delay: 10_000 });
    expect(await attempt()).toMatchObject({ isTriedAgain: false });
    expect(await queue.get(id)).toMatchObject({ state: 'failed', attempts: 3, error: { code: 'ERR_BUSY' } });
  });
});

it('a failed job that two clients retry at once is queued once, and the other client gets a typed error', async () => {
  const queue = await test.open();
  await using other = await BullQueue.open(test.server.url, { maxQueued: 9 });
  const worker = await test.work(() => Promise.reject(new DatasetError('no image')));
  const jobs = await Promise.all(Array.from({ length: 20 }, () => test.submit()));
  for (const { id } of jobs) await ended(queue, id);
  await test.stop(worker);
  const refused: unknown[] = [];
  for (const { id } of jobs) {
    const both = await Promise.allSettled([queue.retry(id), other.retry(id)]);
    for (const one of both) if (one.status === 'rejected') refused.push((one.reason as DualAnoDiffError).code);
    expect(both.map(({ status }) => status)).toContain('fulfilled');
  }
  expect(refused.length).toBeGreaterThan(0);
  expect(new Set(refused)).toEqual(new Set(['ERR_JOB_STATE']));
  expect(await queue.counts()).toMatchObject({ queued: 20, failed: 0 });
});

describe('the events of a job in Redis', () => {
  it('end with its end: what a worker tells afterwards is left out until the job is queued again', async () => {
    await test.open();
    const { id } = await test.submit();
    const append = (...events: QueueEvent[]) =>
      appendEvents(
        test.client,
        events.map((event) => ({ id, event })),
      );
    await append(RUNNING, FAILED);
    const first = [QUEUED, RUNNING, FAILED];
    expect(await streamOf(id)).toEqual(first);
    for (const late of [RUNNING, PROGRESS, NOTE, FAILED, COMPLETED, CANCELLED]) await append(late); // In requests of their own.
    await append(RUNNING, PROGRESS, NOTE, COMPLETED); // In one request.
    expect(await streamOf(id)).toEqual(first);
    await append(QUEUED, RUNNING, NOTE);
    await append(PROGRESS, COMPLETED, NOTE, COMPLETED);
    const second = [...first, QUEUED, RUNNING, NOTE, PROGRESS, COMPLETED];
    expect(await streamOf(id)).toEqual(second);
    await append(RUNNING);
    expect(await streamOf(id)).toEqual(second);
  });

  it('are kept apart from those of other jobs in the same request', async () => {
    await test.open();
    const [one, other] = [(await test.submit()).id, (await test.submit()).id];
    const entries: [string, QueueEvent][] = [
      ...([
        [one, RUNNING],
        [other, RUNNING],
        [one, FAILED],
        [other, NOTE],
      ] as [string, QueueEvent][]),
      ...([
        [one, NOTE],
        [other, RUNNING],
        [other, COMPLETED],
        [one, COMPLETED],
      ] as [string, QueueEvent][]),
    ];
    await appendEvents(
      test.client,
      entries.map(([id, event]) => ({ id, event })),
    );
    expect(await streamOf(one)).toEqual([QUEUED, RUNNING, FAILED]);
    expect(await streamOf(other)).toEqual([QUEUED, RUNNING, NOTE, RUNNING, COMPLETED]);
  });

  it('are those of the service alone: a job of somebody else adds none, whatever its identifier says', async () => {
    const queue = await test.open();
    const { id } = await test.submit({}, { priority: 0 });
    const bull = new Queue('jobs', { connection: { port: test.server.port }, prefix: PREFIX });
    const data = { kind: 'check', options: { data: 'metal' }, datasets: {}, priority: 50 };
    await bull.add('check', data, { jobId: `x y\n${id} no-json`, priority: 1 });
    await test.work(async () => ({}));
    expect(await ended(queue, id)).toMatchObject({ state: 'completed' });
    expect(await bull.getFailedCount()).toBe(1);
    await bull.close();
    expect((await streamOf(id)).filter(isNoStart)).toEqual([QUEUED, COMPLETED]);
    expect(await test.client.keys(`${PREFIX}:events:*`)).toEqual([`${PREFIX}:events:${id}`]);
  });

  it('have an end that comes late before the new start of a job that is retried at once', async () => {
    const queue = await test.open();
    const { id } = await test.submit();
    const slow = bullWorker();
    const job = await slow.getNextJob('token', { block: false });
    if (!job) throw new Error('there is no job');
    await failJob(job, 'token', { code: 'ERR_BUSY', message: 'no' }, { isFinal: true });
    const retried = queue.retry(id); // The worker has not told of the end yet.
    await wait(100);
    await appendEvent(test.client, id, FAILED);
    expect(await retried).toMatchObject({ state: 'queued' });
    await slow.close();
    expect(await streamOf(id)).toEqual([QUEUED, FAILED, QUEUED]);
    await test.work(async () => ({}));
    while ((await queue.get(id)).state !== 'completed') await wait(50);
    expect((await test.eventsOf(id)).slice(2).filter(isNoStart)).toEqual([QUEUED, COMPLETED]);
  });

  it('have an end even if the worker died before it told of it, also when the job is retried', async () => {
    const queue = await test.open();
    const { id } = await test.submit();
    const dead = bullWorker();
    const job = await dead.getNextJob('token', { block: false });
    if (!job) throw new Error('there is no job');
    const failure = { code: 'ERR_BUSY', message: 'no' };
    await failJob(job, 'token', failure, { isFinal: true });
    await dead.close();
    await queue.retry(id);
    expect(await streamOf(id)).toEqual([QUEUED, { event: 'end', state: 'failed', error: failure }, QUEUED]);
  });
});

/** The queue in the process: its order, its states and its events. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { DatasetError } from '../../lib/core/errors.js';
import type { Job, QueueEvent } from '../../lib/queue/job-queue.js';
import { expectFailure } from '../helpers/failures.js';
import { allEvents, Runner, reach, submission, TestLocalQueues } from '../helpers/local-queue.js';

const queues = TestLocalQueues.use();
const openQueue = queues.open.bind(queues);

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

  it('tells that this machine is the only worker, and what it does', async () => {
    const runner = new Runner();
    const queue = await openQueue(runner.run);
    expect(await queue.workers()).toMatchObject([{ host: 'here', bases: ['sd'], jobs: [] }]);
    const job = await queue.submit(submission());
    await runner.reached(job);
    expect(await queue.workers()).toMatchObject([{ device: 'cpu', jobs: [job.id] }]);
  });
});

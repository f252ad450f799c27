/** What the queue in the process keeps in its folder, what a restart finds there, and what happens if it cannot write. */
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { DatasetError } from '../../lib/core/errors.js';
import { EventLog } from '../../lib/queue/event-log.js';
import type { Job, StoredEvent } from '../../lib/queue/job-queue.js';
import { MAX_EVENTS } from '../../lib/queue/kept.js';
import { LocalQueue } from '../../lib/queue/local-queue.js';
import { expectFailure } from '../helpers/failures.js';
import {
  allEvents,
  describeMachine,
  endless,
  Runner,
  reach,
  submission,
  TestLocalQueues,
} from '../helpers/local-queue.js';

const queues = TestLocalQueues.use();
const { scratch } = queues;
const openQueue = queues.open.bind(queues);

describe('the folder of LocalQueue', () => {
  it('retries no job and pauses nothing while its folder cannot be written, as it tells the client', async () => {
    const runner = new Runner();
    const folder = join(scratch, 'not-there');
    const queue = await openQueue(runner.run, folder);
    const job = await queue.submit(submission());
    await runner.reached(job);
    runner.fail(new DatasetError('tile holds no images'));
    const failed = await reach(queue, job, 'failed');
    // Its end is known before it is written.
    await vi.waitFor(
      () => {
        expect(readFileSync(join(folder, `${job.id}.json`), 'utf8')).toContain('failed');
        expect(readFileSync(join(folder, `${job.id}.events.jsonl`), 'utf8')).toContain('"end"');
      },
      { timeout: 30_000 },
    );
    await wait(20); // The writing of the file may still be ending.
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

  it('fails a job that ends the process again and again, and runs it anew if somebody retries it', async () => {
    const folder = join(scratch, 'deadly');
    const first = await openQueue(new Runner().run, folder);
    const job = await first.submit(submission());
    await first[Symbol.asyncDispose]();
    const file = join(folder, `${job.id}.json`);
    /** Lets the process die while it runs the job, and starts the next one. */
    const dieAndRestart = async () => {
      const dying = await openQueue(new Runner().run, folder);
      await dying[Symbol.asyncDispose]();
      writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), state: 'running' }));
    };
    for (let i = 0; i < 5; i++) await dieAndRestart();
    const survivor = new Runner();
    const last = await openQueue(survivor.run, folder);
    await survivor.reached(job); // It was handed back as it should be this time.
    await last[Symbol.asyncDispose]();
    await dieAndRestart();
    const runner = new Runner();
    const queue = await openQueue(runner.run, folder);
    expect(await reach(queue, job, 'failed')).toMatchObject({ error: { code: 'ERR_WORKER_LOST' } });
    expect(await queue.get(job.id)).not.toHaveProperty('lostProcesses');
    expect(runner.started).toEqual([]);
    expect((await allEvents(queue, job)).at(-1)?.event).toMatchObject({ event: 'end', state: 'failed' });
    const log = join(folder, `${job.id}.events.jsonl`);
    await vi.waitFor(() => expect(readFileSync(log, 'utf8')).toContain('"end"')); // Its end is known before it is written.
    renameSync(log, `${log}-away`);
    symlinkSync(join(folder, 'none', 'log'), log); // It is read as empty and cannot be written.
    await expectFailure(queue.retry(job.id), 'ERR_FILE_ACCESS');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ state: 'failed', lostProcesses: 6 });
    rmSync(log);
    renameSync(`${log}-away`, log);
    await queue.retry(job.id);
    await runner.reached(job);
    runner.complete();
    expect(await reach(queue, job, 'completed')).not.toHaveProperty('error');
  });

  it('counts the processes that a job has ended from its newest work on', async () => {
    const folder = join(scratch, 'further');
    const first = await openQueue(new Runner().run, folder);
    const job = await first.submit(submission());
    await first[Symbol.asyncDispose]();
    const file = join(folder, `${job.id}.json`);
    const read = () => JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...read(), state: 'running', lostProcesses: 4 }));
    const runner = new Runner();
    const queue = await openQueue(runner.run, folder);
    await runner.reached(job);
    await vi.waitFor(() => expect(read()).toMatchObject({ state: 'running', lostProcesses: 5 }));
    runner.keepWork();
    await vi.waitFor(() => expect(read()).not.toHaveProperty('lostProcesses'));
    runner.complete();
    await reach(queue, job, 'completed');
  });

  it('runs nothing before it is started, and fails what ended too many processes even if it is paused', async () => {
    const folder = join(scratch, 'start');
    const first = await openQueue(new Runner().run, folder);
    await first.pause();
    const [deadly, waiting] = [await first.submit(submission()), await first.submit(submission())];
    await first[Symbol.asyncDispose]();
    const file = join(folder, `${deadly.id}.json`);
    const died = { ...JSON.parse(readFileSync(file, 'utf8')), state: 'running', lostProcesses: 5 };
    writeFileSync(file, JSON.stringify(died));
    const runner = new Runner();
    const onError = (error: unknown) => expect.fail(String(error));
    const options = { folder, run: runner.run, maxQueued: 9, describe: describeMachine, onError };
    for (let opened = 0; opened < 2; opened++) await (await LocalQueue.open(options))[Symbol.asyncDispose]();
    await using queue = await LocalQueue.open(options);
    const ended: Job[] = [];
    queue.onEnd((job) => ended.push(job));
    await queue.resume();
    expect(await queue.counts()).toMatchObject({ queued: 2 });
    await queue.pause();
    queue.start();
    expect(ended).toMatchObject([{ id: deadly.id, state: 'failed', error: { code: 'ERR_WORKER_LOST' } }]);
    expect((await allEvents(queue, deadly)).map(({ event }) => event.event)).toEqual(['state', 'state', 'end']);
    expect(runner.started).toEqual([]);
    await queue.resume();
    await runner.reached(waiting);
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

  it('belongs to one process at a time', async () => {
    const folder = join(scratch, 'alone');
    await openQueue(new Runner().run, folder);
    await expectFailure(openQueue(new Runner().run, folder), 'ERR_BUSY', folder);
  });
});

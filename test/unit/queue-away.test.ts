/** What becomes of workers and requests while Redis is away, or refuses to write. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BullQueue } from '../../lib/queue/bull-queue.js';
import type { RunJob } from '../../lib/queue/job-queue.js';
import { answerOf } from '../../lib/service/errors.js';
import { QueueWorker } from '../../lib/worker/queue-worker.js';
import { expectFailure } from '../helpers/failures.js';
import { capabilities, untilAborted } from '../helpers/queue.js';
import { RedisServer } from '../helpers/redis.js';
import { scratchFolder } from '../helpers/scratch.js';
import { untilEvent } from '../helpers/workers.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start(scratchFolder());
});
afterAll(() => redis.stop());

const submit = (queue: BullQueue) =>
  queue.submit({ kind: 'check', options: { data: 'metal' }, datasets: {}, priority: 0 });
const startWorker = (run: RunJob, notes: string[]) =>
  QueueWorker.start({
    ...{ redis: redis.url, capabilities, concurrency: 2, lockMs: 1000, awayMs: 300, run },
    freeBytes: () => 8e9,
    step: async () => ({ next: 'run' }),
    onNote: (note) => notes.push(note),
  });

describe('without Redis', () => {
  it('a worker ends when it is told to, and its job goes on elsewhere when Redis is there again', async () => {
    const queue = await BullQueue.open(redis.url, { maxQueued: 9 });
    const { id } = await submit(queue);
    const notes: string[] = [];
    const worker = await startWorker(untilAborted, notes);
    await untilEvent(queue, id, (event) => event.event === 'state' && event.state === 'running');
    await redis.stop();
    await worker[Symbol.asyncDispose]();
    expect(notes.join('\n')).toContain(`job ${id}: Connection is closed.`);
    await redis.start();
    const other = await startWorker(async () => ({}), []);
    await untilEvent(queue, id, ({ event }) => event === 'end');
    expect(await queue.get(id)).toMatchObject({ state: 'completed', attempts: 2 });
    await other[Symbol.asyncDispose]();
    await queue[Symbol.asyncDispose]();
  });

  it('a worker ends when it is told to while Redis hangs', async () => {
    const notes: string[] = [];
    const warnings: string[] = [];
    const onWarning = ({ name }: Error) => warnings.push(name);
    process.on('warning', onWarning);
    const worker = await startWorker(untilAborted, notes);
    redis.hang(true);
    await worker[Symbol.asyncDispose]();
    redis.hang(false);
    process.off('warning', onWarning);
    expect(warnings).not.toContain('MaxListenersExceededWarning');
    expect(notes.at(-1)).toBe('cannot sign off: Connection is closed.');
  });

  it('a queue cannot be opened while Redis hangs, and says so', async () => {
    redis.hang(true);
    const opened = BullQueue.open(redis.url, { maxQueued: 9 });
    await expectFailure(opened, 'ERR_QUEUE_UNAVAILABLE', 'Cannot reach Redis at redis://127');
    redis.hang(false);
  });

  it('requests are answered with 503 until it is there again', async () => {
    await using queue = await BullQueue.open(redis.url, { maxQueued: 9 });
    await redis.stop();
    const failure = await submit(queue).catch((error: Error) => error);
    expect(answerOf(failure as Error, 'r1')).toEqual({
      status: 503,
      error: {
        code: 'ERR_QUEUE_UNAVAILABLE',
        message:
          'The queue cannot be used now: try again later. The log of the service has the reason at the request r1',
      },
    });
    await redis.start();
    redis.hang(true);
    const late = await queue.counts().catch((error: Error) => error);
    expect(answerOf(late as Error, 'r1')).toMatchObject({ status: 503, error: { code: 'ERR_QUEUE_UNAVAILABLE' } });
    redis.hang(false);
    expect(await submit(queue)).toMatchObject({ state: 'queued' });
  });
});

it('a Redis whose memory is full is an unavailable queue, and a wrong command is a fault of the service', async () => {
  await using queue = await BullQueue.open(redis.url, { maxQueued: 9 });
  const client = new Redis(redis.url);
  await client.config('SET', 'maxmemory', '1mb');
  for (const request of [() => submit(queue), () => queue.pause()]) {
    const failure = await request().catch((error: Error) => error);
    expect(answerOf(failure as Error, 'r1')).toMatchObject({ status: 503, error: { code: 'ERR_QUEUE_UNAVAILABLE' } });
  }
  await client.config('SET', 'maxmemory', '0');
  const wrong = await client.call('GET').catch((error: Error) => error);
  expect(answerOf(wrong as Error, 'r1')).toMatchObject({ status: 500, error: { code: 'ERR_UNEXPECTED' } });
  client.disconnect();
  expect(await submit(queue)).toMatchObject({ state: 'queued' });
});

it('a worker and the service warn of settings of Redis that would lose jobs', async () => {
  await using queue = await BullQueue.open(redis.url, { maxQueued: 9 });
  expect(await queue.warnings()).toEqual([]);
  const client = new Redis(redis.url);
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await client.config('SET', 'appendonly', 'no');
  const notes: string[] = [];
  const worker = await startWorker(async () => ({}), notes);
  await worker[Symbol.asyncDispose]();
  expect(notes.slice(0, 2)).toEqual((await queue.warnings()).map((warning) => `warning: ${warning}`));
  expect(notes.slice(0, 2)).toEqual([
    'warning: Redis drops jobs when its memory is full: set maxmemory-policy to noeviction instead of allkeys-lru',
    'warning: Redis forgets the newest jobs, or all of them, when it restarts: set appendonly to yes',
  ]);
  await client.config('SET', 'maxmemory-policy', 'noeviction');
  client.disconnect();
});

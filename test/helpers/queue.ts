/** Gives tests a queue in Redis, and workers in their own process. */
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { AbortedError } from '../../lib/core/errors.js';
import { BullQueue, type BullQueueSettings } from '../../lib/queue/bull-queue.js';
import type { Job, QueueEvent, RunJob, Submission } from '../../lib/queue/job-queue.js';
import { QueueWorker, type QueueWorkerSettings } from '../../lib/worker/queue-worker.js';
import { RedisServer } from './redis.js';
import { scratchFolder } from './scratch.js';

/** What the workers of tests can do. */
export const capabilities = { host: 'here', device: 'cpu', memoryBytes: 8e9, bases: ['sd'] };

/** A job that runs until it is told to end. */
export const untilAborted: RunJob = (_, { signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new AbortedError())));

export class TestQueue {
  server!: RedisServer;
  queue!: BullQueue;
  /** A connection for what only Redis itself knows. */
  client!: Redis;
  workers: QueueWorker[] = [];
  readonly notes: string[] = [];

  /** Starts Redis for the tests of a file, and empties it after each of them. */
  static use(): TestQueue {
    const test = new TestQueue();
    beforeAll(async () => {
      test.server = await RedisServer.start(scratchFolder());
      test.client = new Redis(test.server.url);
    });
    afterEach(async () => {
      for (const worker of test.workers.splice(0)) await worker[Symbol.asyncDispose]();
      await test.queue[Symbol.asyncDispose]();
      await test.client.flushall();
      test.notes.length = 0;
    });
    afterAll(async () => {
      test.client.disconnect();
      await test.server.stop();
    });
    return test;
  }

  async open(more: Partial<BullQueueSettings> = {}): Promise<BullQueue> {
    this.queue = await BullQueue.open(this.server.url, { maxQueued: 100, ...more });
    return this.queue;
  }

  submit(options: Record<string, unknown> = {}, more: Partial<Submission> = {}): Promise<Job> {
    const request = { kind: 'check' as const, options: { data: 'metal', ...options }, datasets: {}, priority: 50 };
    return this.queue.submit({ ...request, ...more });
  }

  async work(run: RunJob, more: Partial<QueueWorkerSettings> = {}): Promise<QueueWorker> {
    const worker = await QueueWorker.start({
      ...{ redis: this.server.url, capabilities, concurrency: 1, lockMs: 1000, retryAfterMs: 10, run },
      freeBytes: () => 8e9,
      step: async () => ({ next: 'run' }),
      onNote: (note) => this.notes.push(note),
      ...more,
    });
    this.workers.push(worker);
    return worker;
  }

  /** Stops a worker in the middle of a test. */
  async stop(worker: QueueWorker): Promise<void> {
    this.workers = this.workers.filter((one) => one !== worker);
    await worker[Symbol.asyncDispose]();
  }

  async eventsOf(id: string): Promise<QueueEvent[]> {
    const events: QueueEvent[] = [];
    for await (const { event } of this.queue.events(id, { signal: AbortSignal.timeout(20_000) })) events.push(event);
    return events;
  }
}

/** Gives tests a queue in their own process, with jobs that end when the test says so. */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect } from 'vitest';
import { AbortedError } from '../../lib/core/errors.js';
import type { AssignedJob, Job, RunContext, RunJob, StoredEvent, Submission } from '../../lib/queue/job-queue.js';
import { LocalQueue, type LocalQueueOptions } from '../../lib/queue/local-queue.js';
import { scratchFolder } from './scratch.js';

export const submission = (more: Partial<Submission> = {}): Submission => ({
  ...{ kind: 'check', options: { data: 'tile' }, datasets: { tile: 'd' }, priority: 0 },
  ...more,
});

export const endless = AbortSignal.timeout(60_000);

/** Runs jobs that end when the test says so. */
export class Runner {
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

  keepWork(): void {
    this.#context?.onWorkKept?.();
  }

  complete(result: object = { done: true }): void {
    this.#finish?.resolve(result);
  }

  fail(error: unknown): void {
    this.#finish?.reject(error);
  }
}

/** Waits until the job has this state. */
export async function reach(queue: LocalQueue, { id }: Job, state: Job['state']): Promise<Job> {
  for (;;) {
    const job = await queue.get(id);
    if (job.state === state) return job;
    await wait(2);
  }
}

export async function allEvents(queue: LocalQueue, { id }: Job, after?: string): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of queue.events(id, { after, signal: endless })) events.push(event);
  return events;
}

export const describeMachine = async () => ({ host: 'here', device: 'cpu', memoryBytes: 1, bases: ['sd'] });

export class TestLocalQueues {
  readonly scratch = scratchFolder();
  /** What the queues could not tell anybody else. No test may leave any. */
  readonly errors: unknown[] = [];
  readonly #open: LocalQueue[] = [];
  #folders = 0;

  /** Closes the queues of each test of a file. */
  static use(): TestLocalQueues {
    const queues = new TestLocalQueues();
    afterEach(async () => {
      for (const queue of queues.#open.splice(0)) await queue[Symbol.asyncDispose]();
      expect(queues.errors.splice(0)).toEqual([]);
    });
    return queues;
  }

  async open(
    run: RunJob,
    folder = join(this.scratch, `${this.#folders++}`),
    more: Partial<LocalQueueOptions> = {},
  ): Promise<LocalQueue> {
    const onError = (error: unknown) => this.errors.push(error);
    const queue = await LocalQueue.open({ folder, run, maxQueued: 10, describe: describeMachine, onError, ...more });
    queue.start();
    this.#open.push(queue);
    return queue;
  }
}

/** Opens the queue of the service. */
import { join } from 'node:path';
import { InvalidOptionError, OutOfMemoryError } from '../core/errors.js';
import type { ServeOptions } from '../options/service.js';
import { BullQueue } from '../queue/bull-queue.js';
import type { JobQueue, RunJob } from '../queue/job-queue.js';
import { LocalQueue } from '../queue/local-queue.js';
import { FolderStore } from '../store/folder-store.js';
import type { Store } from '../store/store.js';
import { findCapabilities } from '../worker/capabilities.js';
import { gigabytes } from '../worker/gigabytes.js';
import { memoryOf } from '../worker/inputs.js';
import { JobRunner } from '../worker/run-job.js';
import { StatusMeter } from '../worker/worker-status.js';

/** New files of a running job can be fetched after this time. */
const COPY_EVERY_MS = 1000;

export interface OpenQueue extends AsyncDisposable {
  queue: JobQueue;
  /** What people should know about the queue before it loses jobs. */
  warnings: readonly string[];
  /** Runs jobs in this process, if there is no Redis. */
  start(): void;
  /** Hands a job that runs in this process back to the queue. */
  stop(): void;
}

/** Returns the address of Redis, if there is one. */
export const redisOf = ({ redis }: ServeOptions) => redis ?? (process.env.DUALANODIFF_REDIS || undefined);

/** Throws ERR_OUT_OF_MEMORY for a job that would end the process, and with it the service. */
export function requireMemory(needed: number, available: number): void {
  if (needed <= available) return;
  throw new OutOfMemoryError(
    `The job needs about ${gigabytes(needed)} of memory, and this machine has ${gigabytes(available)}: choose a smaller batch or resolution`,
    'ERR_OUT_OF_MEMORY',
  );
}

/** Opens the queue in Redis, or one that runs the jobs in this process. */
export async function openQueue(
  options: ServeOptions,
  store: Store,
  workFolder: string,
  onError: (error: unknown) => void,
): Promise<OpenQueue> {
  const { maxQueued, bases } = options;
  const redis = redisOf(options);
  if (redis !== undefined) {
    const queue = await BullQueue.open(redis, { maxQueued, memoryOf: (request) => memoryOf(request, bases) });
    return {
      queue,
      warnings: await queue.warnings().catch(() => []), // A service without advice is better than none.
      start() {}, // Workers run the jobs.
      stop() {},
      [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
    };
  }
  if (!(store instanceof FolderStore)) {
    throw new InvalidOptionError(
      `Expected redis with the store ${store.place}: jobs in the process of the service need a folder`,
    );
  }
  const capabilities = await findCapabilities(bases);
  const runner = await JobRunner.open({ store, workFolder, bases, copyEveryMs: COPY_EVERY_MS });
  try {
    const meter = new StatusMeter(capabilities.device !== 'cpu');
    const runAny = meter.watch(runner.run.bind(runner));
    const run: RunJob = async (job, context) => {
      if (capabilities.device === 'cpu')
        requireMemory(memoryOf(job, bases, { isDivided: false }), capabilities.memoryBytes);
      return runAny(job, context);
    };
    const describe = async () => ({ ...capabilities, ...meter.read() });
    const queue = await LocalQueue.open({ folder: join(store.place, 'queue'), run, maxQueued, describe, onError });
    return {
      queue,
      warnings: [],
      start: () => queue.start(),
      stop: () => queue.stop(),
      async [Symbol.asyncDispose]() {
        await queue[Symbol.asyncDispose]();
        await runner[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await runner[Symbol.asyncDispose]();
    throw error;
  }
}

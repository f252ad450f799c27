/** Reads what the metrics tell of the queue. */
import { setTimeout as wait } from 'node:timers/promises';
import type { JobQueue, JobState } from '../queue/job-queue.js';
import { isQueueFailure } from '../queue/redis.js';
import type { WorkerDescription } from '../queue/workers.js';

/** Prometheus waits 10 seconds for all metrics together. */
const ANSWER_MS = 2000;

export interface QueueReading {
  counts: Record<JobState, number>;
  workers: WorkerDescription[];
}

export class QueueReader {
  #reading: Promise<QueueReading | undefined> | undefined;

  constructor(private readonly queue: JobQueue) {}

  /** Reads the queue once for all who ask at the same time. Returns undefined if it does not answer soon. */
  read(): Promise<QueueReading | undefined> {
    this.#reading ??= this.#ask().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #ask(): Promise<QueueReading | undefined> {
    const answered = new AbortController();
    const late = wait(ANSWER_MS, undefined, { signal: answered.signal }).catch(() => undefined);
    const reading = Promise.all([this.queue.counts(), this.queue.workers()]).then(
      ([counts, workers]) => ({ counts, workers }),
      (error: Error) => {
        if (isQueueFailure(error)) return undefined;
        throw error;
      },
    );
    try {
      return await Promise.race([reading, late]);
    } finally {
      answered.abort();
      reading.catch(() => {}); // Nobody waits for it any more if it was late.
    }
  }
}

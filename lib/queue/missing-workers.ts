/** Tells jobs that wait for a worker which nobody has started. */
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { JobData } from './job-data.js';
import { appendEvent, lastEvent } from './job-events.js';
import { hasTools, type Needs, needsOf } from './placement.js';
import type { WorkerDescription } from './workers.js';

/** The first of the waiting jobs of a queue are told, and the others when they are the first. */
const MAX_TOLD = 100;

function messageFor({ base, cuda }: Needs): string {
  const tools = [...(base === undefined ? [] : [`the base ${base}`]), ...(cuda ? ['a GPU'] : [])].join(' and ');
  return `No worker has ${tools}: the job waits until one is started`;
}

/** Warns the jobs whose base or device no worker has. A job whose last event says so already is left alone. */
export async function warnOfMissingWorkers(
  queues: readonly Queue<JobData>[],
  redis: Redis,
  workers: readonly WorkerDescription[],
): Promise<void> {
  for (const queue of queues) {
    const needs = needsOf(queue.name);
    if (!needs || workers.some((worker) => hasTools(needs, worker))) continue;
    const message = messageFor(needs);
    for (const job of await queue.getJobs(['waiting', 'prioritized'], 0, MAX_TOLD - 1, true)) {
      const id = job.id as string;
      const last = (await lastEvent(redis, id))?.event;
      if (last?.event === 'warning' && last.message === message) continue;
      await appendEvent(redis, id, { event: 'warning', message });
    }
  }
}

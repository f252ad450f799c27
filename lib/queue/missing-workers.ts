/** Tells jobs that wait for a worker which nobody has started. */
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { JobData } from './job-data.js';
import { appendEvents, lastEvents } from './job-events.js';
import type { QueueEvent } from './job-queue.js';
import { hasTools, type Needs, needsOf } from './placement.js';
import type { WorkerDescription } from './workers.js';

/** The waiting jobs of a queue are read in pages of this many, because a queue may have a million of them. */
const PAGE = 1000;

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
    for (let from = 0; ; from += PAGE) {
      const ids = await queue.getRanges(['waiting', 'prioritized'], from, from + PAGE - 1, true);
      if (ids.length === 0) break;
      const last = await lastEvents(redis, ids);
      const isWarned = (event?: QueueEvent) => event?.event === 'warning' && event.message === message;
      const unwarned = ids.filter((_, i) => !isWarned(last[i]?.event));
      if (unwarned.length === 0) continue;
      await appendEvents(
        redis,
        unwarned.map((id) => ({ id, event: { event: 'warning', message } })),
      );
    }
  }
}

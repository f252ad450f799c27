/** Passes the events of a job in Redis on as they come. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { appendEvent, eventsAfter, lastEvent } from './job-events.js';
import { type EndEvent, hasEnded, type Job, type StoredEvent } from './job-queue.js';

/** New events are asked for at this interval. */
const POLL_MS = 300;

/** Yields the events of a job after one, until the last one of an ended job, or until the signal fires. */
export async function* followEvents(
  redis: Redis,
  getJob: () => Promise<Job>,
  after: string,
  signal: AbortSignal,
): AsyncGenerator<StoredEvent, void, undefined> {
  const { id } = await getJob();
  let last = after;
  let isOver = false;
  while (!signal.aborted) {
    const batch = await eventsAfter(redis, id, last);
    for (const event of batch) {
      if (signal.aborted) return;
      yield event;
      last = event.id;
    }
    if (batch.length > 0) continue;
    if (isOver) return; // Nothing came after the end.
    const job = await getJob();
    isOver = hasEnded(job) && (await tellEnd(redis, getJob, job));
    if (!isOver) await wait(POLL_MS, undefined, { signal }).catch(() => {});
  }
}

/**
 * Makes sure that the last event of an ended job is its end, because a worker may die before it tells. Returns false if
 * the job was retried in the meantime.
 */
export async function tellEnd(redis: Redis, getJob: () => Promise<Job>, job: Job): Promise<boolean> {
  for (let asked = 0; asked < 2; asked++) {
    if ((await lastEvent(redis, job.id))?.event.event === 'end') return true;
    await wait(POLL_MS); // The worker may be about to tell.
  }
  const now = await getJob();
  if (now.state !== job.state || now.finished !== job.finished) return false;
  await appendEvent(redis, job.id, endOf(job), { isWaiting: job.finished === undefined });
  return true;
}

/** Returns the last event of a job. */
function endOf({ state, result, error }: Job): EndEvent {
  return { event: 'end', state: state as EndEvent['state'], ...(result && { result }), ...(error && { error }) };
}

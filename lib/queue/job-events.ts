/** Keeps the events of jobs in streams of Redis, whose identifiers let a client continue after any event. */
import type { Redis } from 'ioredis';
import { InvalidOptionError } from '../core/errors.js';
import type { QueueEvent, StoredEvent } from './job-queue.js';
import { keys } from './redis.js';

/** About this number of events of a job is kept, the newest ones. */
const MAX_EVENTS = 20_000;
const BATCH = 100;
/** Finished jobs and their events are kept for this number of seconds, 30 days. */
export const KEPT_SECONDS = 30 * 24 * 3600;
const FIELD = 'event';

/** Appends an event. The end of a job is also told to those who listen for ended jobs. */
export async function appendEvent(redis: Redis, id: string, event: QueueEvent): Promise<void> {
  const key = keys.events(id);
  await redis.xadd(key, 'MAXLEN', '~', MAX_EVENTS, '*', FIELD, JSON.stringify(event));
  if (event.event === 'state') await redis.persist(key); // The job may have been queued again.
  if (event.event !== 'end') return;
  await redis.expire(key, KEPT_SECONDS);
  await redis.publish(keys.ended, id);
}

/** Returns the events after one, the oldest first, up to a batch of them. */
export async function eventsAfter(redis: Redis, id: string, after: string): Promise<StoredEvent[]> {
  const entries = await redis.xrange(keys.events(id), `(${after}`, '+', 'COUNT', BATCH);
  return entries.map(toEvent);
}

/** Returns the newest event. */
export async function lastEvent(redis: Redis, id: string): Promise<StoredEvent | undefined> {
  const [entry] = await redis.xrevrange(keys.events(id), '+', '-', 'COUNT', 1);
  return entry && toEvent(entry);
}

const toEvent = ([id, fields]: [string, string[]]): StoredEvent => ({
  id,
  event: JSON.parse(fields[fields.indexOf(FIELD) + 1] as string) as QueueEvent,
});

/** Checks the identifier of an event. Throws ERR_INVALID_OPTION. */
export function requireEventId(after: string): void {
  if (/^\d{1,15}-\d{1,15}$/.test(after)) return;
  throw new InvalidOptionError(`Expected the identifier of an event but received ${JSON.stringify(after)}`);
}

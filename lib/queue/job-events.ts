/** Keeps the events of jobs in streams of Redis, whose identifiers let a client continue after any event. */
import type { Redis } from 'ioredis';
import { InvalidOptionError } from '../core/errors.js';
import type { QueueEvent, StoredEvent } from './job-queue.js';
import { KEPT_SECONDS, MAX_EVENTS } from './kept.js';
import { keys } from './redis.js';

const BATCH = 100;
const FIELD = 'event';

/** One script takes the events of many jobs, because a pipeline of ioredis costs more than a job of no work. */
const APPEND = `
for i, key in ipairs(KEYS) do
  local event, name, id = ARGV[3 * i + 1], ARGV[3 * i + 2], ARGV[3 * i + 3]
  local isLeftOut = false
  if name ~= 'queued' then
    local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
    -- A campaign starts many times while another one makes its parts.
    isLeftOut = last and (string.sub(last[2][2], 1, 14) == '{"event":"end"'
      or (last[2][2] == event and event == '{"event":"state","state":"running"}'))
  end
  if not isLeftOut then
    redis.call('XADD', key, 'MAXLEN', '~', ARGV[1], '*', '${FIELD}', event)
    if name == 'queued' then redis.call('PERSIST', key) end
    if name == 'end' then
      redis.call('EXPIRE', key, ARGV[2])
      redis.call('PUBLISH', ARGV[3], id)
    end
  end
end`;

/** An event of the job with the identifier `id`. */
export interface JobEventEntry {
  id: string;
  event: QueueEvent;
}

/**
 * Appends events in one request. The end of a job is also told to those who listen for ended jobs. Its worker tells of
 * it, and so does who cancels it or misses the event, but the stream has it once. After it, the job can only be queued
 * again: other events come too late, from a worker that was cut off and has lost the job. The events of an ended job
 * expire, unless it is queued again.
 */
export async function appendEvents(redis: Redis, entries: readonly JobEventEntry[]): Promise<void> {
  const names = { queued: 'queued', running: '' };
  const events = entries.flatMap(({ id, event }) => [
    JSON.stringify(event),
    event.event === 'state' ? names[event.state] : event.event,
    id,
  ]);
  const streams = entries.map(({ id }) => keys.events(id));
  await redis.eval(APPEND, streams.length, ...streams, MAX_EVENTS, KEPT_SECONDS, keys.ended, ...events);
}

export const appendEvent = (redis: Redis, id: string, event: QueueEvent): Promise<void> =>
  appendEvents(redis, [{ id, event }]);

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

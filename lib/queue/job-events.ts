/** Keeps the events of jobs in streams of Redis, whose identifiers let a client continue after any event. */
import type { Redis } from 'ioredis';
import { InvalidOptionError } from '../core/errors.js';
import { jobIdPattern } from '../options/requests.js';
import type { QueueEvent, StoredEvent } from './job-queue.js';
import { MAX_EVENTS } from './kept.js';
import { keys } from './redis.js';

const BATCH = 100;
const FIELD = 'event';

const QUEUED = '{"event":"state","state":"queued"}';
const RUNNING = '{"event":"state","state":"running"}';
const COMPLETED = '{"event":"end","state":"completed"';
const CANCELLED = '{"event":"end","state":"cancelled"}';
const FAILED = '{"event":"end","state":"failed"';

/**
 * One script takes the events of many jobs, because a pipeline of ioredis costs more than a job of no work. It reads a
 * stream only where it must, which costs as much as four appended events: the event before one of the same job is often
 * among these events, and a stream of one event has the job's submission. If the stream was lost, an end can come twice.
 */
const APPEND = `
local streams, maxEvents, channel, isWaiting, lines = unpack(ARGV)
local cancelled, cancelledWaiting = unpack(KEYS)
local hasCancelled = redis.call('EXISTS', cancelled, cancelledWaiting) > 0
local ended, previousId, previousEvent = {}, nil, nil
local function isEnd(event)
  return event ~= '${RUNNING}' and string.sub(event, 1, 14) == '{"event":"end"'
end
local function lastEvent(id, key)
  if id == previousId then return previousEvent end
  if redis.call('XLEN', key) == 1 then return '${QUEUED}' end
  local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  return last and last[2][2] or ''
end
for id, event in string.gmatch(lines, '([^ ]+) ([^\\n]+)\\n') do
  local key = streams .. id
  local isLeftOut = false
  if event ~= '${QUEUED}' then
    local last = lastEvent(id, key)
    -- A campaign starts many times while another one makes its parts.
    isLeftOut = isEnd(last) or (event == last and event == '${RUNNING}')
  end
  if not isLeftOut then
    if isEnd(event) then
      -- A stream has few ends, and trimming costs time.
      redis.call('XADD', key, '*', '${FIELD}', event)
      ended[#ended + 1] = id
    else
      redis.call('XADD', key, 'MAXLEN', '~', maxEvents, '*', '${FIELD}', event)
    end
    previousId, previousEvent = id, event
  end
  if event == '${QUEUED}' or string.sub(event, 1, ${COMPLETED.length}) == '${COMPLETED}' then
    if hasCancelled then
      redis.call('SREM', cancelled, id)
      redis.call('SREM', cancelledWaiting, id)
    end
  elseif event == '${CANCELLED}' and isWaiting == '1' then
    if not isLeftOut then
      redis.call('SADD', cancelledWaiting, id)
      hasCancelled = true
    end
  elseif event == '${CANCELLED}' then
    redis.call('SREM', cancelledWaiting, id)
    redis.call('SADD', cancelled, id)
    hasCancelled = true
  elseif string.sub(event, 1, ${FAILED.length}) == '${FAILED}' then
    redis.call('SREM', cancelledWaiting, id)
  end
end
if #ended > 0 then redis.call('PUBLISH', channel, table.concat(ended, ' ')) end`;

/** An event of the job with the identifier `id`. */
export interface JobEventEntry {
  id: string;
  event: QueueEvent;
}

/** Writes an event. Its name is the first, because the script looks at the beginning of the text. */
function textOf(event: QueueEvent): string {
  if (event.event !== 'state') return JSON.stringify(event);
  return event.state === 'queued' ? QUEUED : RUNNING;
}

/**
 * Appends events in one request. The end of a job is also told to those who listen for ended jobs. Its worker tells of
 * it, and so does who cancels it or misses the event, but the stream has it once. After it, the job can only be queued
 * again: other events come too late, from a worker that was cut off and has lost the job. Events of jobs that the service
 * has not submitted are left out.
 *
 * `isWaiting` tells that jobs which are cancelled by these events still wait in BullMQ's queue, where a worker comes to
 * them later and tells of their end again.
 */
export async function appendEvents(
  redis: Redis,
  entries: readonly JobEventEntry[],
  { isWaiting = false } = {},
): Promise<void> {
  // ioredis takes longer for many arguments than for one. JSON has no line breaks, but the identifier of a job that
  // somebody else has written could have some, and would write into the events of others.
  const own = entries.filter(({ id }) => jobIdPattern.test(id));
  const lines = own.map(({ id, event }) => `${id} ${textOf(event)}\n`).join('');
  const args = [keys.events(''), MAX_EVENTS, keys.ended, isWaiting ? '1' : '', lines];
  await redis.eval(APPEND, 2, keys.cancelled, keys.cancelledWaiting, ...args);
}

export const appendEvent = (
  redis: Redis,
  id: string,
  event: QueueEvent,
  options?: { isWaiting: boolean },
): Promise<void> => appendEvents(redis, [{ id, event }], options);

/** Returns the events after one, the oldest first, up to a batch of them. */
export async function eventsAfter(redis: Redis, id: string, after: string): Promise<StoredEvent[]> {
  const entries = await redis.xrange(keys.events(id), `(${after}`, '+', 'COUNT', BATCH);
  return entries.map(toEvent);
}

/** Returns the newest event of each job. */
export async function lastEvents(redis: Redis, ids: readonly string[]): Promise<(StoredEvent | undefined)[]> {
  const requests = redis.pipeline();
  for (const id of ids) requests.xrevrange(keys.events(id), '+', '-', 'COUNT', 1);
  return ((await requests.exec()) ?? []).map(([error, entries]) => {
    if (error) throw error;
    const [entry] = entries as [string, string[]][];
    return entry && toEvent(entry);
  });
}

/** Returns the newest event of a job. */
export async function lastEvent(redis: Redis, id: string): Promise<StoredEvent | undefined> {
  return (await lastEvents(redis, [id]))[0];
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

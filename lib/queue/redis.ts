/** Connects to Redis, and names the keys of the queue there. */
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { DualAnoDiffError, InvalidOptionError } from '../core/errors.js';
import { unusableReason } from './redis-settings.js';

/** All keys begin with this prefix, so that other programs can use the same Redis. */
export const PREFIX = 'dualanodiff';

/** The first connection must succeed in this time. Later, a lost connection is opened again for as long as it takes. */
const CONNECT_TIMEOUT_MS = 5000;
/** A request of the service fails if Redis, which answers within milliseconds, is silent for this long. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Returns an address without its password, for messages. */
export function redactedUrl(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}

function requireUrl(url: string): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : '';
  if (['redis:', 'rediss:'].includes(protocol)) return;
  throw new InvalidOptionError(
    'Expected redis://HOST:PORT, or rediss://HOST:PORT for TLS, with user:password@ in front of HOST if needed, for redis',
  );
}

/**
 * Connects to Redis. With `waits`, commands wait while the connection is lost, as workers must. Otherwise they fail after
 * a moment, so that a request can be answered. Throws ERR_INVALID_OPTION, and ERR_QUEUE_UNAVAILABLE if the first
 * connection fails, or if this Redis cannot hold the queue.
 */
export async function connectRedis(url: string, { waits }: { waits: boolean }): Promise<Redis> {
  requireUrl(url);
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...(waits ? { maxRetriesPerRequest: null } : { maxRetriesPerRequest: 1, commandTimeout: ANSWER_TIMEOUT_MS }),
    enableReadyCheck: true,
  });
  let cause: Error | undefined;
  client.on('error', (error) => {
    cause = error; // Without a listener, ioredis would print each failed attempt.
  });
  // A Redis that hangs accepts a connection, and then says nothing.
  const silence = new AbortController();
  const silent = wait(2 * CONNECT_TIMEOUT_MS, undefined, { signal: silence.signal }).then(() => {
    throw new Error('it does not answer');
  });
  silent.catch(() => {});
  try {
    await Promise.race([client.connect().then(() => requireUsable(client, url)), silent]);
    return client;
  } catch (error) {
    client.disconnect();
    throw error instanceof DualAnoDiffError ? error : queueUnavailable(url, cause ?? (error as Error));
  } finally {
    silence.abort();
  }
}

export const queueUnavailable = (url: string, cause: Error) =>
  new DualAnoDiffError(`Cannot reach Redis at ${redactedUrl(url)}: ${cause.message}`, 'ERR_QUEUE_UNAVAILABLE', {
    cause,
  });

async function requireUsable(client: Redis, url: string): Promise<void> {
  const reason = unusableReason(await client.info());
  if (reason !== undefined)
    throw new DualAnoDiffError(`Cannot use Redis at ${redactedUrl(url)}: ${reason}`, 'ERR_QUEUE_UNAVAILABLE');
}

/**
 * Redis refuses a command for these reasons although the command is right. Before version 7, the refusal of a command in
 * a script begins with the place in the script.
 */
const REFUSALS =
  /(?:^|: -)(?:OOM|READONLY|MISCONF|LOADING|NOREPLICAS|BUSY|MASTERDOWN|CLUSTERDOWN|MOVED|ASK|TRYAGAIN|NOAUTH|NOPERM|WRONGPASS|DENIED)\b/;
/** A proxy in front of Redis or a setting of it withholds commands, or Redis has too many clients. */
const WITHHELD = /^ERR max number of clients|unknown command|unknown redis command/i;

/**
 * Returns whether a command failed because Redis cannot be reached, or does not do what it is asked to, for example
 * because its memory is full. The queue can be used again when Redis can.
 */
export const isQueueFailure = (error: Error): boolean =>
  error.name === 'MaxRetriesPerRequestError' ||
  ['Connection is closed.', 'Command timed out', 'Command aborted due to connection close'].includes(error.message) ||
  (error.name === 'ReplyError' && (REFUSALS.test(error.message) || WITHHELD.test(error.message)));

/** Keys beside those of BullMQ, which begin with the prefix and the name of a queue. */
export const keys = {
  /** The set of the names of all queues that ever had a job. */
  queues: `${PREFIX}:queues`,
  /** The sorted set of the identifiers of all jobs, with the times of their submissions. */
  jobs: `${PREFIX}:jobs`,
  /** The hash of the queue of each job. */
  queueOfJob: `${PREFIX}:queue-of-job`,
  /** The set of the identifiers of a job's parts. */
  parts: (id: string) => `${PREFIX}:parts:${id}`,
  /** The set of the identifiers of the jobs that wait for a part. */
  wholes: (id: string) => `${PREFIX}:wholes:${id}`,
  /** What a campaign has found out about its data and its base at its first step. */
  plan: (id: string) => `${PREFIX}:plan:${id}`,
  /** It exists while the service is paused. */
  paused: `${PREFIX}:paused`,
  /** The channel on which the identifiers of jobs to cancel are published. */
  cancel: `${PREFIX}:cancel`,
  /** The channel on which the identifiers of ended jobs are published, with spaces between them. */
  ended: `${PREFIX}:ended`,
  /** The set of the identifiers of cancelled jobs, which BullMQ counts as failed. */
  cancelled: `${PREFIX}:cancelled`,
  /** The set of the identifiers of jobs that were cancelled while they waited, which BullMQ counts until a worker takes them. */
  cancelledWaiting: `${PREFIX}:cancelled-waiting`,
  /** The stream of a job's events. */
  events: (id: string) => `${PREFIX}:events:${id}`,
  /** The set of the identifiers of all workers. */
  workers: `${PREFIX}:workers`,
  /** The description of a worker, which expires if the worker ends. */
  worker: (id: string) => `${PREFIX}:worker:${id}`,
};

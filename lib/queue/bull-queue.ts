/** Hands jobs to workers by BullMQ, which keeps them in Redis. */
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Job as BullJob, type JobsOptions, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { InvalidOptionError } from '../core/errors.js';
import { idempotencyConflict, jobNotFound, queueFull, wrongState } from './errors.js';
import { describeJob, type JobData } from './job-data.js';
import { appendEvent, eventsAfter, KEPT_SECONDS, lastEvent, requireEventId } from './job-events.js';
import { jobIdOf } from './job-ids.js';
import {
  type EndEvent,
  type Job,
  type JobFilter,
  type JobPage,
  type JobQueue,
  type JobState,
  jobStates,
  type StoredEvent,
  type Submission,
} from './job-queue.js';
import { queueOf } from './placement.js';
import { connectRedis, keys, PREFIX } from './redis.js';
import { listWorkers, type WorkerDescription } from './workers.js';

/** A client that waits for events asks for new ones at this interval. */
const POLL_MS = 300;
/** A job that failed for a reason that may pass is tried this often, with growing pauses. */
const ATTEMPTS = 3;
const RETRY_AFTER_MS = 5000;

/** BullMQ runs jobs with smaller numbers first, and 0 means no priority at all. */
const bullPriority = (priority: number) => 101 - priority;

const jobSettings: JobsOptions = {
  attempts: ATTEMPTS,
  removeOnComplete: { age: KEPT_SECONDS },
  removeOnFail: { age: KEPT_SECONDS },
  stackTraceLimit: 0, // Stack traces hold paths of the worker's machine.
};

export interface BullQueueSettings {
  /** This many jobs may wait. */
  maxQueued: number;
  /** A job whose failure may pass is tried again after this time in milliseconds, and then after twice of it. */
  retryAfterMs?: number;
}

const isEnded = ({ state }: Job) => state === 'completed' || state === 'failed' || state === 'cancelled';

export class BullQueue implements JobQueue {
  readonly #queues = new Map<string, Queue<JobData>>();
  /** Hears of jobs that end. */
  #listener: Redis | undefined;

  /** Uses a connection, which is closed with the queue. */
  constructor(
    private readonly redis: Redis,
    private readonly settings: BullQueueSettings,
  ) {}

  /** Connects to Redis. Throws ERR_INVALID_OPTION for a wrong address, and ERR_QUEUE_UNAVAILABLE. */
  static async open(url: string, settings: BullQueueSettings): Promise<BullQueue> {
    return new BullQueue(await connectRedis(url, { waits: false }), settings);
  }

  async submit({ idempotencyKey, ...request }: Submission): Promise<Job> {
    const id = jobIdOf(idempotencyKey);
    const known = await this.#find(id);
    if (!known) {
      const { queued } = await this.counts();
      if (queued >= this.settings.maxQueued) throw queueFull(this.settings.maxQueued);
      const added = await this.#add(id, request, {});
      if (idempotencyKey === undefined) return describeJob(added);
    }
    // Another request with the same key may have added its job at the same time.
    const job = await describeJob(known ?? (await this.#require(id)));
    const isSame = job.kind === request.kind && isDeepStrictEqual(job.options, request.options);
    if (!isSame) throw idempotencyConflict(idempotencyKey as string, id);
    return job;
  }

  /**
   * Adds a part of a running job, once for each run of it, so that the job can wait for its parts. A part that exists
   * already is not added again unless it failed, or was completed but has no result any more. The job goes on even if
   * the part fails.
   */
  async addPart(whole: BullJob<JobData>, id: string, data: JobData, hasResult: () => Promise<boolean>): Promise<void> {
    const parts = keys.parts(whole.id as string);
    if (await this.redis.sismember(parts, id)) return;
    const known = await this.#find(id);
    const state = known && (await describeJob(known)).state;
    const isThere = state === 'queued' || state === 'running' || (state === 'completed' && (await hasResult()));
    if (known && !isThere) await known.remove();
    if (!isThere) {
      const parent = { id: whole.id as string, queue: whole.queueQualifiedName };
      await this.#add(id, data, { parent, ignoreDependencyOnFailure: true });
    }
    await this.redis.sadd(parts, id);
    await this.redis.expire(parts, KEPT_SECONDS);
  }

  async get(id: string): Promise<Job> {
    return describeJob(await this.#require(id));
  }

  async list({ state, kind, limit, after }: JobFilter): Promise<JobPage> {
    let rank = 0;
    if (after !== undefined) {
      const found = await this.redis.zrevrank(keys.jobs, after);
      if (found === null)
        throw new InvalidOptionError(`Expected the identifier of a job for after but received ${after}`);
      rank = found + 1;
    }
    const jobs: Job[] = [];
    for (;;) {
      const ids = await this.redis.zrevrange(keys.jobs, rank, rank + limit - 1);
      for (const id of ids) {
        if (jobs.length === limit) return { jobs, next: (jobs.at(-1) as Job).id };
        const found = await this.#find(id);
        if (!found) continue; // BullMQ has removed it, because it ended long ago.
        const job = await describeJob(found);
        if ((state === undefined || job.state === state) && (kind === undefined || job.kind === kind)) jobs.push(job);
      }
      if (ids.length < limit) return { jobs };
      rank += ids.length;
    }
  }

  async cancel(id: string): Promise<Job> {
    const found = await this.#require(id);
    const job = await describeJob(found);
    if (isEnded(job)) throw wrongState(job, 'cancel');
    for (const part of await this.redis.smembers(keys.parts(id))) await this.#cancelPart(part, id);
    // A worker that takes the job later sees the mark in the data, and the one that runs it hears the message.
    await found.updateData({ ...found.data, cancelled: true });
    await this.redis.publish(keys.cancel, id);
    const now = await this.get(id);
    // The worker of a running job tells of its end.
    if (job.state === 'queued' && now.state === 'cancelled')
      await appendEvent(this.redis, id, { event: 'end', state: 'cancelled' });
    return now;
  }

  /** Returns whether a job is to be cancelled. */
  async isCancelled(id: string): Promise<boolean> {
    return (await this.#find(id))?.data?.cancelled === true;
  }

  async retry(id: string): Promise<Job> {
    const found = await this.#require(id);
    const job = await describeJob(found);
    if (job.state !== 'failed' && job.state !== 'cancelled') throw wrongState(job, 'retry');
    const { cancelled: _, ...data } = found.data;
    await found.updateData(data);
    await this.redis.del(keys.parts(id)); // Parts that failed are tried again, too.
    // A job that was cancelled in the queue is still there.
    if (await found.isFailed()) await found.retry('failed', { resetAttemptsMade: true });
    await appendEvent(this.redis, id, { event: 'state', state: 'queued' });
    return this.get(id);
  }

  async pause(): Promise<void> {
    await this.redis.set(keys.paused, '1');
    for (const queue of await this.#all()) await queue.pause();
  }

  async resume(): Promise<void> {
    await this.redis.del(keys.paused);
    for (const queue of await this.#all()) await queue.resume();
  }

  async isPaused(): Promise<boolean> {
    return (await this.redis.exists(keys.paused)) === 1;
  }

  events(
    id: string,
    { after = '0-0', signal }: { after?: string | undefined; signal: AbortSignal },
  ): AsyncGenerator<StoredEvent, void, undefined> {
    requireEventId(after); // A wrong identifier must be refused before an answer begins.
    return this.#eventsAfter(id, after, signal);
  }

  async *#eventsAfter(id: string, after: string, signal: AbortSignal): AsyncGenerator<StoredEvent, void, undefined> {
    await this.#require(id);
    let last = after;
    let hasEnded = false;
    while (!signal.aborted) {
      const batch = await eventsAfter(this.redis, id, last);
      for (const event of batch) {
        if (signal.aborted) return;
        yield event;
        last = event.id;
      }
      if (batch.length > 0) continue;
      if (hasEnded) return; // Nothing came after the end.
      const job = await this.get(id);
      hasEnded = isEnded(job);
      if (hasEnded) await this.#tellEnd(job);
      else await wait(POLL_MS, undefined, { signal }).catch(() => {});
    }
  }

  onEnd(listener: (job: Job) => void): void {
    this.#listener ??= this.redis.duplicate();
    const client = this.#listener;
    client.on('error', () => {}); // The other connection reports the same errors.
    client.on('message', (_, id) => {
      this.get(id).then(listener, () => {}); // Metrics may miss a job, but must not end the process.
    });
    client.subscribe(keys.ended).catch(() => {}); // ioredis subscribes again after each connection.
  }

  async counts(): Promise<Record<JobState, number>> {
    const counts = Object.fromEntries(jobStates.map((state) => [state, 0])) as Record<JobState, number>;
    for (const queue of await this.#all()) {
      const { active = 0, completed = 0, failed = 0, ...others } = await queue.getJobCounts();
      const { 'waiting-children': divided = 0, ...waiting } = others;
      counts.running += active + divided;
      counts.completed += completed;
      counts.failed += failed;
      counts.queued += Object.values(waiting).reduce((sum, count) => sum + count, 0);
    }
    return counts;
  }

  /** Returns the workers that are there. */
  workers(): Promise<WorkerDescription[]> {
    return listWorkers(this.redis);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const queue of this.#queues.values()) await queue.close();
    this.#listener?.disconnect();
    this.redis.disconnect();
  }

  async #add(id: string, data: JobData, more: JobsOptions): Promise<BullJob<JobData>> {
    const name = queueOf(data);
    await this.#register(id, name);
    const job = await this.#queue(name).add(data.kind, data, {
      ...{ ...jobSettings, ...more, jobId: id, priority: bullPriority(data.priority) },
      backoff: { type: 'exponential', delay: this.settings.retryAfterMs ?? RETRY_AFTER_MS },
    });
    await appendEvent(this.redis, id, { event: 'state', state: 'queued' });
    return job;
  }

  /** Cancels a part of a job, unless it has ended, or is the part of another job. */
  async #cancelPart(id: string, whole: string): Promise<void> {
    const found = await this.#find(id);
    if (!found || found.data.parent !== whole || isEnded(await describeJob(found))) return;
    await this.cancel(id);
  }

  /** Makes sure that the last event of an ended job is its end, because a worker may die before it tells. */
  async #tellEnd(job: Job): Promise<void> {
    for (let asked = 0; asked < 2; asked++) {
      if ((await lastEvent(this.redis, job.id))?.event.event === 'end') return;
      await wait(POLL_MS); // The worker may be about to tell.
    }
    await appendEvent(this.redis, job.id, endOf(job));
  }

  #queue(name: string): Queue<JobData> {
    const known = this.#queues.get(name);
    if (known) return known;
    const queue = new Queue<JobData>(name, { connection: this.redis, prefix: PREFIX });
    queue.on('error', () => {}); // Commands report their own errors.
    this.#queues.set(name, queue);
    return queue;
  }

  async #all(): Promise<Queue<JobData>[]> {
    return (await this.redis.smembers(keys.queues)).map((name) => this.#queue(name));
  }

  /** Remembers where a job is, before it is there. A new queue is paused with the others. */
  async #register(id: string, name: string): Promise<void> {
    await this.redis
      .multi()
      .sadd(keys.queues, name)
      .hset(keys.queueOfJob, id, name)
      .zadd(keys.jobs, Date.now(), id)
      .exec();
    if (await this.isPaused()) await this.#queue(name).pause();
  }

  async #find(id: string): Promise<BullJob<JobData> | undefined> {
    const name = await this.redis.hget(keys.queueOfJob, id);
    return name === null ? undefined : this.#queue(name).getJob(id);
  }

  async #require(id: string): Promise<BullJob<JobData>> {
    const job = await this.#find(id);
    if (!job) throw jobNotFound(id);
    return job;
  }
}

/** Returns the last event of a job. */
export function endOf({ state, result, error }: Job): EndEvent {
  return { event: 'end', state: state as EndEvent['state'], ...(result && { result }), ...(error && { error }) };
}

/** Hands jobs to workers by BullMQ, which keeps them in Redis. */
import { isDeepStrictEqual } from 'node:util';
import type { Job as BullJob, JobsOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { DualAnoDiffError } from '../core/errors.js';
import { BullQueues } from './bull-queues.js';
import { changeData } from './change-data.js';
import { idempotencyConflict, jobNotFound, queueFull, wrongState } from './errors.js';
import { followEvents, tellEnd } from './follow-events.js';
import { forgetEnded } from './forget.js';
import { bullPriority, describeJob, type JobData } from './job-data.js';
import { appendEvent, requireEventId } from './job-events.js';
import { jobIdOf } from './job-ids.js';
import {
  hasEnded,
  type Job,
  type JobFilter,
  type JobPage,
  type JobQueue,
  type JobRequest,
  type JobState,
  jobStates,
  type StoredEvent,
  type Submission,
} from './job-queue.js';
import { KEPT_SECONDS } from './kept.js';
import { listJobs } from './list-jobs.js';
import { warnOfMissingWorkers } from './missing-workers.js';
import { handOver, hurry, Parts } from './parts.js';
import { queueOf } from './placement.js';
import { connectRedis, keys } from './redis.js';
import { redisWarnings } from './redis-settings.js';
import { listWorkers, type WorkerDescription } from './workers.js';

export interface BullQueueSettings {
  /** This many jobs may wait, with those that were cancelled and that no worker has come to yet. */
  maxQueued: number;
  /** Estimates the bytes of memory that a job needs. Without it, jobs are taken by workers of any memory. */
  memoryOf?: ((request: JobRequest) => number) | undefined;
}

/** The field in which BullMQ counts the workers that a job has lost. */
const LOST_WORKERS = 'stc';

export class BullQueue implements JobQueue {
  readonly #queues: BullQueues;
  readonly #parts: Parts;
  /** The connection that hears of ended jobs. */
  #ends: Redis | undefined;
  readonly #endListeners: ((job: Job) => void)[] = [];

  /** Uses a connection, which is closed with the queue. */
  constructor(
    private readonly redis: Redis,
    private readonly settings: BullQueueSettings,
  ) {
    this.#queues = new BullQueues(redis);
    this.#parts = new Parts(redis);
  }

  /** Connects to Redis. Throws ERR_INVALID_OPTION for a wrong address, and ERR_QUEUE_UNAVAILABLE. */
  static async open(url: string, settings: BullQueueSettings): Promise<BullQueue> {
    return new BullQueue(await connectRedis(url, { waits: false }), settings);
  }

  async submit({ idempotencyKey, ...request }: Submission): Promise<Job> {
    const id = jobIdOf(idempotencyKey);
    const known = await this.#queues.find(id);
    if (!known) {
      // Jobs that were cancelled while they waited are in the queue until a worker comes to them.
      const { queued } = await this.#bullCounts();
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
    const wholeId = whole.id as string;
    const isAdded = await this.#parts.has(wholeId, id);
    await this.#parts.waitFor(id, wholeId);
    const known = await this.#queues.find(id);
    if (isAdded && known) return; // A part of another campaign may have been forgotten since, 30 days after its end.
    const state = known && (await describeJob(known)).state;
    if (state === 'running' && known?.data.cancelled)
      throw new DualAnoDiffError(`The part ${id} is just being cancelled`, 'ERR_BUSY');
    const isThere = state === 'queued' || state === 'running' || (state === 'completed' && (await hasResult()));
    if (known && !isThere) {
      await known.remove({ removeChildren: false });
      await this.#parts.forget(id); // Its own parts are tried again, too.
    }
    if (!isThere) {
      // FlowProducer adds whole trees at once. Here each step adds the parts that are still missing, because what they
      // are depends on the data and on the results of the step before, and because other campaigns may have them.
      const parent = { id: wholeId, queue: whole.queueQualifiedName };
      await this.#add(id, data, { parent, ignoreDependencyOnFailure: true }).catch(async (error: Error) => {
        if (!(await this.#queues.find(id))) throw error; // Otherwise another campaign has added it at the same time.
      });
    } else if (state === 'queued') await hurry(this.redis, await this.#require(id), data.priority);
    await this.#parts.add(wholeId, id);
  }

  /** Finds out something about a job once, whichever worker asks. Others may have written what it returns. */
  async once(id: string, find: () => Promise<object>): Promise<unknown> {
    const key = keys.plan(id);
    if ((await this.redis.exists(key)) === 0) {
      await this.redis.set(key, JSON.stringify(await find()), 'EX', KEPT_SECONDS, 'NX');
    }
    return JSON.parse((await this.redis.get(key)) ?? 'null');
  }

  async get(id: string): Promise<Job> {
    return describeJob(await this.#require(id));
  }

  list(filter: JobFilter): Promise<JobPage> {
    return listJobs(this.redis, this.#queues, filter);
  }

  async cancel(id: string): Promise<Job> {
    const found = await this.#require(id);
    const job = await describeJob(found);
    if (hasEnded(job)) throw wrongState(job, 'cancel');
    // A worker that takes the job later sees the mark in the data, and the one that runs it hears the message.
    await changeData(this.redis, found, (data) => ({ ...data, cancelled: true }));
    await this.redis.publish(keys.cancel, id);
    await this.cancelParts(id);
    const now = await this.get(id);
    // The worker of a running job tells of its end.
    if (now.state === 'cancelled') {
      const isWaiting = now.finished === undefined;
      await appendEvent(this.redis, id, { event: 'end', state: 'cancelled' }, { isWaiting });
    }
    return now;
  }

  /** Cancels the parts that a job has had in this run, except those that other jobs wait for. */
  async cancelParts(id: string): Promise<void> {
    for (const part of await this.#parts.of(id)) await this.#cancelPart(part, id);
  }

  /** Returns whether a job is to be cancelled. */
  async isCancelled(id: string): Promise<boolean> {
    return (await this.#queues.find(id))?.data?.cancelled === true;
  }

  /** Begins anew to count the workers that a job loses. */
  async forgetLost({ id = '', queueName }: BullJob<JobData>): Promise<void> {
    await this.redis.hdel(this.#queues.get(queueName).toKey(id), LOST_WORKERS);
  }

  async retry(id: string): Promise<Job> {
    const found = await this.#require(id);
    const job = await describeJob(found);
    if (job.state !== 'failed' && job.state !== 'cancelled') throw wrongState(job, 'retry');
    // The worker may be about to tell of the end, which would seem to be that of the next run if it came later.
    const isSame = await tellEnd(this.redis, () => this.get(id), job);
    // A job that was cancelled in the queue is still there. Somebody else may retry an ended one at the same time.
    const isEnded = job.finished !== undefined;
    if (!isSame || (isEnded && !(await found.isFailed()))) throw wrongState(await this.get(id), 'retry');
    await changeData(this.redis, found, ({ cancelled: _, ...data }) => data);
    await this.#parts.forget(id); // Parts that failed are tried again, too.
    await appendEvent(this.redis, id, { event: 'state', state: 'queued' });
    if (isEnded) {
      await this.forgetLost(found);
      await found.retry('failed', { resetAttemptsMade: true }).catch(async (error: Error) => {
        const now = await this.get(id);
        throw now.state === job.state ? error : wrongState(now, 'retry');
      });
    }
    return this.get(id);
  }

  pause(): Promise<void> {
    return this.#queues.pause();
  }

  resume(): Promise<void> {
    return this.#queues.resume();
  }

  isPaused(): Promise<boolean> {
    return this.#queues.isPaused();
  }

  events(
    id: string,
    { after = '0-0', signal }: { after?: string | undefined; signal: AbortSignal },
  ): AsyncGenerator<StoredEvent, void, undefined> {
    requireEventId(after); // A wrong identifier must be refused before an answer begins.
    return followEvents(this.redis, () => this.get(id), after, signal);
  }

  onEnd(listener: (job: Job) => void): void {
    this.#endListeners.push(listener);
    if (this.#ends) return;
    this.#ends = this.redis.duplicate();
    this.#ends.on('error', () => {}); // The other connection reports the same errors.
    const tell = async (id: string) => {
      const job = await this.get(id);
      for (const one of this.#endListeners) one(job);
    };
    this.#ends.on('message', (_, ids) => {
      for (const id of ids.split(' ')) tell(id).catch(() => {}); // Metrics may miss a job, but must not end the process.
    });
    this.#ends.subscribe(keys.ended).catch(() => {}); // ioredis subscribes again after each connection.
  }

  /** Counts the jobs in the states that BullMQ knows. */
  async #bullCounts(): Promise<Record<JobState, number>> {
    const counts = Object.fromEntries(jobStates.map((state) => [state, 0])) as Record<JobState, number>;
    for (const queue of await this.#queues.all()) {
      const { active = 0, completed = 0, failed = 0, ...others } = await queue.getJobCounts();
      const { 'waiting-children': divided = 0, ...waiting } = others;
      counts.running += active + divided;
      counts.completed += completed;
      counts.failed += failed;
      counts.queued += Object.values(waiting).reduce((sum, count) => sum + count, 0);
    }
    return counts;
  }

  async counts(): Promise<Record<JobState, number>> {
    const counts = await this.#bullCounts();
    // BullMQ knows no cancelled jobs. The sets are read later than its counts, so that they may have more.
    const cancelled = await this.redis.scard(keys.cancelled);
    const cancelledWaiting = await this.redis.scard(keys.cancelledWaiting);
    counts.failed = Math.max(0, counts.failed - cancelled);
    counts.queued = Math.max(0, counts.queued - cancelledWaiting);
    counts.cancelled = cancelled + cancelledWaiting;
    return counts;
  }

  /** Forgets jobs that ended more than 30 days before `now`, or before the time of Redis. Returns their number. */
  async forgetEnded(now?: number): Promise<number> {
    const [seconds] = await this.redis.time(); // A machine whose clock is wrong must not forget what others need.
    return forgetEnded(this.#queues, this.redis, now ?? Number(seconds) * 1000);
  }

  /** Warns the waiting jobs whose base or device no worker has. */
  async warnOfMissingWorkers(): Promise<void> {
    await warnOfMissingWorkers(await this.#queues.all(), this.redis, await this.workers());
  }

  /** Returns a warning for each setting of Redis that would lose jobs. */
  warnings(): Promise<string[]> {
    return redisWarnings(this.redis);
  }

  workers(): Promise<WorkerDescription[]> {
    return listWorkers(this.redis);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queues.close();
    this.#ends?.disconnect();
    this.redis.disconnect();
  }

  async #add(id: string, data: JobData, more: JobsOptions): Promise<BullJob<JobData>> {
    const name = queueOf(data, this.settings.memoryOf?.(data));
    await this.#queues.register(id, name);
    await appendEvent(this.redis, id, { event: 'state', state: 'queued' }); // A worker may tell more at once.
    return this.#queues.get(name).add(data.kind, data, {
      ...more,
      jobId: id,
      priority: bullPriority(data.priority),
    });
  }

  /** Cancels a part of a job. If other jobs wait for the part, it goes on, and one of them becomes its owner. */
  async #cancelPart(id: string, whole: string): Promise<void> {
    const others = await this.#parts.leave(id, whole);
    const found = await this.#queues.find(id);
    if (!found || hasEnded(await describeJob(found))) return;
    try {
      for (const other of others) {
        const job = await this.get(other).catch(() => undefined); // It may be forgotten.
        if (!job || hasEnded(job) || (await this.isCancelled(other))) continue;
        return await handOver(this.redis, found, whole, other);
      }
      const { state } = await this.cancel(id);
      // The part waits for a worker that ends it, but its campaign need not.
      if (state === 'cancelled' && found.data.parent === whole && found.parentKey !== undefined)
        await found.removeChildDependency();
    } catch (error) {
      const { code } = error as DualAnoDiffError;
      if (code !== 'ERR_JOB_STATE' && code !== 'ERR_JOB_NOT_FOUND') throw error; // Otherwise it has ended in this moment.
    }
  }

  async #require(id: string): Promise<BullJob<JobData>> {
    const job = await this.#queues.find(id);
    if (!job) throw jobNotFound(id);
    return job;
  }
}

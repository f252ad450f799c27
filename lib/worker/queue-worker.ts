/** Takes jobs off the queues that this machine can serve, one for each free slot. */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type Job as BullJob, UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { AbortedError, DualAnoDiffError } from '../core/errors.js';
import { given } from '../options/check.js';
import { BullQueue } from '../queue/bull-queue.js';
import { jobFailureOf } from '../queue/errors.js';
import { describeJob, type JobData, reasonOf } from '../queue/job-data.js';
import { appendEvent } from '../queue/job-events.js';
import type { Job, QueueEvent, RunJob } from '../queue/job-queue.js';
import { connectRedis, keys, PREFIX } from '../queue/redis.js';
import { announce, type Capabilities } from '../queue/workers.js';
import type { FlowStep } from './campaign-flow.js';
import { EventLog } from './event-log.js';

export interface QueueWorkerSettings {
  /** The address of Redis. */
  redis: string;
  /** The names of the queues to take jobs from. */
  queues: readonly string[];
  /** This number of jobs runs at once. */
  concurrency: number;
  run: RunJob;
  /** Takes the next step of a campaign, which may consist of other jobs. */
  step(queue: BullQueue, bullJob: BullJob<JobData>, token: string, job: Job): Promise<FlowStep>;
  /** What this machine can do, for those who look at the queue. */
  capabilities: Capabilities;
  /** Another worker takes a job over if this one has not renewed its lock for this number of milliseconds. */
  lockMs: number;
  /** Tells people what happens. */
  onNote(message: string): void;
}

/** An idle slot asks for jobs at this interval. */
const POLL_MS = 500;
/** A job whose workers died this often fails, because it probably killed them. */
const MAX_LOST_WORKERS = 20;

/** Errors with these codes may pass, so that the job is tried again. Others would come again. */
const PASSING = new Set([
  ...['ERR_STORE_ACCESS', 'ERR_STORE_DAMAGED', 'ERR_FILE_ACCESS', 'ERR_BUSY', 'ERR_OUT_OF_MEMORY'],
  ...['ERR_DEVICE_UNAVAILABLE', 'ERR_QUEUE_UNAVAILABLE', 'ERR_UNEXPECTED'],
]);

/** Why a running job is ended. */
type Reason = 'cancelled' | 'lost' | 'handed back';

/** A job that this worker runs. */
interface Running {
  id: string;
  end(reason: Reason): void;
}

export class QueueWorker implements AsyncDisposable {
  readonly id = randomUUID();
  readonly #workers: Worker<JobData>[];
  readonly #queue: BullQueue;
  readonly #running = new Map<string, Running>();
  readonly #stopping = new AbortController();
  #slots: Promise<void>[] = [];
  #withdraw: () => Promise<void> = async () => {};

  private constructor(
    private readonly settings: QueueWorkerSettings,
    private readonly redis: Redis,
    private readonly cancellations: Redis,
  ) {
    const { queues, lockMs } = settings;
    this.#queue = new BullQueue(redis, { maxQueued: Number.POSITIVE_INFINITY });
    this.#workers = queues.map((name) => {
      const worker = new Worker<JobData>(name, null, {
        ...{ connection: redis, prefix: PREFIX, autorun: false, name: this.id },
        ...{ lockDuration: lockMs, stalledInterval: lockMs, maxStalledCount: MAX_LOST_WORKERS },
      });
      worker.on('error', (error) => settings.onNote(`queue ${name}: ${error.message}`));
      return worker;
    });
  }

  /** Connects to Redis and starts to take jobs. Throws ERR_INVALID_OPTION, and ERR_QUEUE_UNAVAILABLE. */
  static async start(settings: QueueWorkerSettings): Promise<QueueWorker> {
    const redis = await connectRedis(settings.redis, { waits: true });
    const cancellations = redis.duplicate();
    cancellations.on('error', () => {}); // The other connection reports the same errors.
    const worker = new QueueWorker(settings, redis, cancellations);
    await cancellations.subscribe(keys.cancel);
    cancellations.on('message', (_, id) => worker.#running.get(id)?.end('cancelled'));
    for (const one of worker.#workers) await one.startStalledCheckTimer();
    worker.#withdraw = await announce(redis, worker.id, settings.capabilities, () => [...worker.#running.keys()]);
    worker.#slots = Array.from({ length: settings.concurrency }, (_, slot) => worker.#serve(slot));
    return worker;
  }

  /** Lets running jobs reach a checkpoint, hands them back to the queue, and disconnects. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    for (const running of this.#running.values()) running.end('handed back');
    await Promise.allSettled(this.#slots);
    for (const worker of this.#workers) await worker.close();
    await this.#withdraw();
    this.cancellations.disconnect();
    await this.#queue[Symbol.asyncDispose]();
  }

  async #serve(slot: number): Promise<void> {
    const { signal } = this.#stopping;
    for (let count = 0; !signal.aborted; count++) {
      const token = `${this.id}:${slot}:${count}`;
      const job = await this.#take(token).catch((error: Error) => {
        if (!signal.aborted) this.settings.onNote(`cannot take a job: ${error.message}`);
      });
      if (job) await this.#work(job, token);
      else await wait(POLL_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #take(token: string): Promise<BullJob<JobData> | undefined> {
    for (const worker of this.#workers) {
      const job = await worker.getNextJob(token, { block: false });
      if (job) return job;
    }
    return undefined;
  }

  /** Runs a job and tells the queue how it ended. It never throws, because the slot must go on. */
  async #work(bullJob: BullJob<JobData>, token: string): Promise<void> {
    const { lockMs, run, onNote } = this.settings;
    const id = bullJob.id ?? '';
    const control = new AbortController();
    let reason: Reason | undefined;
    const end = (why: Reason) => {
      reason ??= why;
      control.abort(new AbortedError({ cause: new Error(`The job is ${reason}`) }));
    };
    this.#running.set(id, { id, end });
    if (this.#stopping.signal.aborted) end('handed back');
    const isOwner = async () => Number(await bullJob.extendLock(token, lockMs)) === 1;
    const renew = setInterval(async () => {
      if (!(await isOwner().catch(() => true))) end('lost'); // Without a connection nothing is known.
      // The message is lost if this worker was not connected when it was sent.
      if (await this.#queue.isCancelled(id).catch(() => false)) end('cancelled');
    }, lockMs / 2);
    const log = new EventLog((event) => appendEvent(this.redis, id, event));
    try {
      const job = await this.#begin(bullJob, log);
      onNote(`job ${id}: ${job.kind}`);
      const context = { signal: control.signal, onEvent: (event: QueueEvent) => log.add(event), isOwner };
      const step = await this.settings.step(this.#queue, bullJob, token, job);
      if (step.next === 'wait') return onNote(`job ${id}: waits for its parts`);
      const result =
        step.next === 'complete' ? step.result : await run(job, { ...context, ...given({ prepare: step.prepare }) });
      await log.written();
      await bullJob.moveToCompleted(result, token, false);
      log.add({ event: 'end', state: 'completed', result });
      onNote(`job ${id}: completed`);
    } catch (error) {
      await this.#settle(bullJob, token, error, reason, log).catch((failure: Error) => {
        // The lock was lost in the meantime. The job is then somebody else's.
        onNote(`job ${id}: ${failure.message}`);
      });
    } finally {
      clearInterval(renew);
      this.#running.delete(id);
      await log.written();
    }
  }

  async #begin(bullJob: BullJob<JobData>, log: EventLog): Promise<Job> {
    if (bullJob.deferredFailure) throw new DualAnoDiffError(bullJob.deferredFailure, 'ERR_WORKER_LOST');
    if (bullJob.data?.cancelled) throw new AbortedError();
    const job = await describeJob(bullJob);
    log.add({ event: 'state', state: 'running' });
    return { ...job, state: 'running' };
  }

  /** Tells the queue why a job did not complete. */
  async #settle(
    bullJob: BullJob<JobData>,
    token: string,
    error: unknown,
    reason: Reason | undefined,
    log: EventLog,
  ): Promise<void> {
    const { onNote } = this.settings;
    if (reason === 'lost') return onNote(`job ${bullJob.id}: another worker has taken it over`);
    if (reason === 'handed back') {
      await bullJob.moveToWait(token);
      log.add({ event: 'state', state: 'queued' });
      return onNote(`job ${bullJob.id}: handed back`);
    }
    const isCancelled = reason === 'cancelled' || error instanceof AbortedError;
    const failure = jobFailureOf(isCancelled ? new AbortedError() : error);
    const { code, message } = failure;
    onNote(`job ${bullJob.id}: ${message} (${code})`);
    const final = !PASSING.has(code);
    const cause = final ? new UnrecoverableError(reasonOf(failure)) : new Error(reasonOf(failure));
    await bullJob.moveToFailed(cause, token, false);
    const willRetry = !final && bullJob.attemptsMade < (bullJob.opts.attempts ?? 1);
    const events: QueueEvent[] = willRetry
      ? [
          { event: 'warning', message: `${message} (${code}). The job is tried again.` },
          { event: 'state', state: 'queued' },
        ]
      : [{ event: 'end', state: isCancelled ? 'cancelled' : 'failed', ...(!isCancelled && { error: failure }) }];
    for (const event of events) log.add(event);
  }
}

/** Takes jobs off the queues that this machine can serve, one for each free slot. */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Job as BullJob } from 'bullmq';
import type { Redis } from 'ioredis';
import { BullQueue, type BullQueueSettings } from '../queue/bull-queue.js';
import type { JobData } from '../queue/job-data.js';
import { appendEvents } from '../queue/job-events.js';
import type { AssignedJob, RunJob } from '../queue/job-queue.js';
import { needsOf } from '../queue/placement.js';
import { connectRedis, keys } from '../queue/redis.js';
import { announce, type Capabilities, type WorkerStatus } from '../queue/workers.js';
import type { FlowStep } from './campaign-flow.js';
import { EventSender } from './event-sender.js';
import { JobSource } from './job-source.js';
import { RunningJob, type RunningJobSettings } from './running-job.js';

export interface QueueWorkerSettings {
  /** The address of Redis. */
  redis: string;
  /** What this machine can do. The worker takes only jobs that fit. */
  capabilities: Capabilities;
  /** Estimates the bytes of memory that the parts of campaigns need. */
  memoryOf?: BullQueueSettings['memoryOf'];
  /** Returns the bytes of memory that jobs may take now, those of running ones included. */
  freeBytes(): number;
  /** This number of jobs runs at once. */
  concurrency: number;
  run: RunJob;
  /** Takes the next step of a campaign, which may consist of other jobs. */
  step(queue: BullQueue, bullJob: BullJob<JobData>, token: string, job: AssignedJob): Promise<FlowStep>;
  /** Another worker takes a job over if this one has not renewed its lock for this number of milliseconds. */
  lockMs: number;
  /** A job whose failure may pass is tried again after this time in milliseconds, and then after twice of it. */
  retryAfterMs?: number;
  /** A slot changes to another queue with jobs after this number of milliseconds. */
  stayMs?: number;
  /** Jobs that no worker has the memory for, and those that ended long ago, are looked for at this interval. */
  checkMs?: number;
  /** When the worker ends, it waits this number of milliseconds for a Redis that is away. */
  awayMs?: number;
  /** Tells people what happens. */
  onNote(message: string): void;
  /** What the worker does now, for those who look at the queue. */
  status?: () => WorkerStatus;
}

/** An idle slot asks for jobs at this interval. */
const POLL_MS = 500;
/** Jobs of one queue share a base, which stays loaded, but those of other queues must not wait for ever. */
const STAY_MS = 60_000;
const CHECK_MS = 60_000;
/** A worker that ends waits no longer than this for a Redis that is away. */
const AWAY_MS = 10_000;

export class QueueWorker implements AsyncDisposable {
  readonly id = randomUUID();
  readonly #source: JobSource;
  readonly #queue: BullQueue;
  readonly #events: EventSender;
  readonly #shared: RunningJobSettings;
  readonly #running = new Map<string, RunningJob>();
  /** The bytes of memory that the jobs of each slot need. */
  readonly #reserved: number[];
  /** Slots take jobs in turn, so that two jobs never count on the same memory. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #stopping = new AbortController();
  #slots: Promise<void>[] = [];
  #renewals: NodeJS.Timeout | undefined;
  #checks: NodeJS.Timeout | undefined;
  /** The check that is going on. */
  #checking: Promise<void> | undefined;
  #withdraw: () => Promise<void> = async () => {};

  private constructor(
    private readonly settings: QueueWorkerSettings,
    private readonly redis: Redis,
    private readonly cancellations: Redis,
  ) {
    const { capabilities, concurrency, lockMs, onNote } = settings;
    this.#reserved = new Array<number>(concurrency).fill(0);
    this.#queue = new BullQueue(redis, { maxQueued: Number.POSITIVE_INFINITY, memoryOf: settings.memoryOf });
    this.#events = new EventSender((entries) => appendEvents(redis, entries));
    const { run, step, retryAfterMs } = settings;
    this.#shared = {
      ...{ lockMs, run, onNote, retryAfterMs, events: this.#events },
      step: (...args) => step(this.#queue, ...args),
      isCancelled: (id) => this.#queue.isCancelled(id),
      forgetLost: (bullJob) => this.#queue.forgetLost(bullJob),
    };
    this.#source = new JobSource({
      ...{ redis, id: this.id, capabilities, lockMs, onNote },
      freeBytes: () => this.#freeBytes(),
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
    const { capabilities, status, onNote } = settings;
    for (const warning of await worker.#queue.warnings().catch(() => [])) onNote(`warning: ${warning}`);
    worker.#withdraw = await announce(redis, worker.id, capabilities, () => [...worker.#running.keys()], status);
    worker.#renewals = setInterval(() => worker.#renew(), settings.lockMs / 2);
    worker.#checks = setInterval(() => worker.#check(), settings.checkMs ?? CHECK_MS);
    worker.#slots = Array.from({ length: settings.concurrency }, (_, slot) => worker.#serve(slot));
    return worker;
  }

  /**
   * Lets running jobs reach a checkpoint, hands them back to the queue, and disconnects. If Redis is away and does not
   * come back soon, other workers take the jobs over when their locks have expired.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#checks);
    for (const job of this.#running.values()) job.end('handed back');
    const stopWatching = this.#giveUpIfAway();
    await Promise.allSettled(this.#slots);
    clearInterval(this.#renewals); // Jobs that reach a checkpoint keep their locks until then.
    await this.#checking;
    await this.#source[Symbol.asyncDispose]();
    this.#events.send();
    // Redis has done everything that it was sent before when this is answered.
    await this.#withdraw().catch((error: Error) => this.settings.onNote(`cannot sign off: ${error.message}`));
    stopWatching();
    this.cancellations.disconnect();
    await this.#queue[Symbol.asyncDispose]();
  }

  /**
   * Gives the connection up, on which commands would wait for ever, if Redis does not answer for long enough. The
   * function that is returned ends this.
   */
  #giveUpIfAway(): () => void {
    const { redis } = this;
    const { awayMs = AWAY_MS } = this.settings;
    let lastAnswer = performance.now();
    let isAsked = false;
    const ask = async () => {
      isAsked = true;
      await redis.ping().catch((error: Error) => {
        if (error.name !== 'ReplyError') throw error; // A refusal is an answer, too.
      });
      lastAnswer = performance.now();
    };
    const timer = setInterval(() => {
      const askAgain = () => {
        isAsked = false;
      };
      if (!isAsked) ask().then(askAgain, askAgain);
      if (performance.now() - lastAnswer < awayMs) return;
      // ioredis forgets the commands that wait if it is told to disconnect between two attempts to connect. This makes
      // the next attempt the last one, and they fail with it.
      redis.options.retryStrategy = () => null;
      if (redis.status !== 'ready' && redis.status !== 'connect') return;
      redis.disconnect();
      clearInterval(timer); // The connection is open until Redis answers or two seconds have passed.
    }, awayMs / 10);
    return () => clearInterval(timer);
  }

  #freeBytes(): number {
    const { capabilities, freeBytes } = this.settings;
    const reserved = this.#reserved.reduce((sum, bytes) => sum + bytes, 0);
    return Math.min(capabilities.memoryBytes, freeBytes()) - reserved;
  }

  /** Renews the locks of all jobs. Each of them was renewed or taken less than half of its time before. */
  #renew(): void {
    for (const job of this.#running.values()) void job.renew();
  }

  /** Looks after the jobs of all workers, unless the check before still does. */
  #check(): void {
    const check = async () => {
      await this.#source.refuseHopeless();
      await this.#queue.warnOfMissingWorkers();
      await this.#queue.forgetEnded();
    };
    const end = () => {
      this.#checking = undefined;
    };
    this.#checking ??= check()
      .catch((error: Error) => this.settings.onNote(error.message))
      .then(end);
  }

  async #serve(slot: number): Promise<void> {
    const { signal } = this.#stopping;
    const { stayMs = STAY_MS, onNote } = this.settings;
    for (let count = 0; !signal.aborted; count++) {
      const token = `${this.id}:${slot}:${count}`;
      let job = await this.#take(slot, token).catch((error: Error) => {
        if (!signal.aborted) onNote(`cannot take a job: ${error.message}`);
      });
      if (!job) await wait(POLL_MS, undefined, { signal }).catch(() => {});
      const until = performance.now() + stayMs;
      while (job) {
        const fetched = await this.#work(job, token, () => !signal.aborted && performance.now() < until);
        job = fetched && this.#source.next(job, fetched); // It is of the same queue and needs the same memory.
      }
      this.#reserved[slot] = 0;
    }
  }

  #take(slot: number, token: string): Promise<BullJob<JobData> | undefined> {
    const next = this.#turn.then(async () => {
      const job = await this.#source.take(token);
      if (job) this.#reserved[slot] = needsOf(job.queueName)?.memoryBytes ?? 0;
      return job;
    });
    this.#turn = next.catch(() => {}); // Each slot gets its own error.
    return next;
  }

  /** Runs a job, and returns what BullMQ has fetched with its completion. */
  async #work(bullJob: BullJob<JobData>, token: string, fetchesNext: () => boolean): Promise<unknown[] | undefined> {
    const id = bullJob.id ?? '';
    const job = new RunningJob(bullJob, token, this.#shared);
    this.#running.set(id, job);
    if (this.#stopping.signal.aborted) job.end('handed back');
    try {
      return await job.work(fetchesNext);
    } finally {
      this.#running.delete(id);
    }
  }
}

/** Finds the next job for this machine in the queues that are there. */
import { Job as BullJob, type JobJson, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { JobData } from '../queue/job-data.js';
import { appendEvent } from '../queue/job-events.js';
import { canRun, hasMemory, hasTools, type Needs, needsOf } from '../queue/placement.js';
import { keys, PREFIX } from '../queue/redis.js';
import { type Capabilities, listWorkers } from '../queue/workers.js';
import { failJob } from './fail-job.js';
import { gigabytes } from './gigabytes.js';

export interface JobSourceSettings {
  redis: Redis;
  /** The identifier of the worker. */
  id: string;
  capabilities: Capabilities;
  /** Returns the bytes of memory that a further job may take now. */
  freeBytes(): number;
  lockMs: number;
  onNote(message: string): void;
}

/** A job whose workers died this often, without new work in between, fails, because it probably killed them. */
const MAX_LOST_WORKERS = 20;

/** A queue of the service, and what its jobs need. */
interface KnownQueue {
  name: string;
  needs: Needs;
}

export class JobSource {
  readonly #workers = new Map<string, Worker<JobData>>();
  /** The queue of the last job. The others have their turn first. */
  #last = '';
  /** These queues had no worker with enough memory when it was checked last. */
  #hopeless = new Set<string>();

  constructor(private readonly settings: JobSourceSettings) {}

  /** Takes a job that this machine can run now. Returns undefined if there is none. */
  async take(token: string): Promise<BullJob<JobData> | undefined> {
    const { capabilities, freeBytes } = this.settings;
    const names = (await this.#known()).filter(({ needs }) => canRun(needs, capabilities));
    const isLater = ({ name }: KnownQueue) => name > this.#last;
    const inTurn = [...names.filter(isLater), ...names.filter((one) => !isLater(one))];
    for (const { name, needs } of inTurn) {
      const worker = await this.#worker(name); // It looks after the jobs of lost workers, even if it has no room now.
      if (!hasMemory(needs, capabilities, freeBytes())) continue;
      const job = await worker.getNextJob(token, { block: false });
      if (!job) continue;
      this.#last = name;
      return job;
    }
    return undefined;
  }

  /** Returns the job that came with the completion of the job before it. */
  next(before: BullJob<JobData>, fetched: unknown[]): BullJob<JobData> | undefined {
    const [data, id] = fetched as [JobJson | undefined, string];
    const worker = this.#workers.get(before.queueName);
    if (!data || !worker) return undefined;
    try {
      return BullJob.fromJSON(worker, data, id);
    } catch (error) {
      // Somebody else has written a job that is none. Nobody renews its lock.
      this.settings.onNote(`job ${id}: ${(error as Error).message}`);
      return undefined;
    }
  }

  /**
   * Fails the jobs that need more memory than any worker with their base and device has, if that was so at the last call
   * already. A worker that starts again in between takes them.
   */
  async refuseHopeless(): Promise<void> {
    const { redis, capabilities } = this.settings;
    const tooLarge = (await this.#known()).filter(
      ({ needs }) => hasTools(needs, capabilities) && !canRun(needs, capabilities),
    );
    const workers = tooLarge.length > 0 ? await listWorkers(redis) : [];
    const hopeless = tooLarge.filter(({ needs }) => !workers.some((one) => canRun(needs, one)));
    for (const { name, needs } of hopeless) {
      if (!this.#hopeless.has(name)) continue;
      const others = workers.filter((one) => hasTools(needs, one)).map((one) => one.memoryBytes);
      const largest = Math.max(capabilities.memoryBytes, ...others);
      await this.#refuse(name, needs.memoryBytes, largest);
    }
    this.#hopeless = new Set(hopeless.map(({ name }) => name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // BullMQ would ask Redis to end a connection on which it never blocks here, and wait for ever if Redis is away.
    for (const worker of this.#workers.values()) await worker.close(true);
  }

  async #known(): Promise<KnownQueue[]> {
    const names = (await this.settings.redis.smembers(keys.queues)).sort();
    return names.flatMap((name) => {
      const needs = needsOf(name);
      return needs ? [{ name, needs }] : [];
    });
  }

  async #worker(name: string): Promise<Worker<JobData>> {
    const known = this.#workers.get(name);
    if (known) return known;
    const { redis, lockMs, onNote } = this.settings;
    const worker = new Worker<JobData>(name, null, {
      ...{ connection: redis, prefix: PREFIX, autorun: false },
      ...{ lockDuration: lockMs, stalledInterval: lockMs, maxStalledCount: MAX_LOST_WORKERS },
    });
    this.#workers.set(name, worker);
    worker.on('error', (error) => onNote(`queue ${name}: ${error.message}`));
    await worker.startStalledCheckTimer();
    return worker;
  }

  /** Fails the waiting jobs of a queue. */
  async #refuse(name: string, needed: number, largest: number): Promise<void> {
    const { redis, id, onNote } = this.settings;
    const message = `The job needs about ${gigabytes(needed)} of memory, and the largest worker has ${gigabytes(largest)}: start a worker with more, or choose a smaller batch or resolution`;
    const error = { code: 'ERR_OUT_OF_MEMORY', message };
    const worker = await this.#worker(name);
    for (;;) {
      const job = await worker.getNextJob(`${id}:refused`, { block: false });
      if (!job) return;
      await failJob(job, `${id}:refused`, error, { isFinal: true });
      await appendEvent(redis, job.id as string, { event: 'end', state: 'failed', error });
      onNote(`job ${job.id}: ${message}`);
    }
  }
}

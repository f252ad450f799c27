/** Knows the queues of BullMQ, and which of them each job is in. All of them are paused together. */
import { type Job as BullJob, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { JobData } from './job-data.js';
import { keys, PREFIX } from './redis.js';

/** One request, because jobs of no work are submitted quickly. */
const REGISTER = `
redis.call('SADD', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])`;

export class BullQueues {
  readonly #queues = new Map<string, Queue<JobData>>();

  constructor(private readonly redis: Redis) {}

  get(name: string): Queue<JobData> {
    const known = this.#queues.get(name);
    if (known) return known;
    const queue = new Queue<JobData>(name, { connection: this.redis, prefix: PREFIX });
    queue.on('error', () => {}); // Commands report their own errors.
    this.#queues.set(name, queue);
    return queue;
  }

  /** Returns the queues that ever had a job. */
  async all(): Promise<Queue<JobData>[]> {
    return (await this.redis.smembers(keys.queues)).map((name) => this.get(name));
  }

  async find(id: string): Promise<BullJob<JobData> | undefined> {
    const name = await this.redis.hget(keys.queueOfJob, id);
    return name === null ? undefined : this.get(name).getJob(id);
  }

  /** Remembers where a job is, before it is there. A new queue is paused with the others. */
  async register(id: string, name: string): Promise<void> {
    await this.redis.eval(REGISTER, 3, keys.queues, keys.queueOfJob, keys.jobs, id, name, Date.now());
    if (await this.isPaused()) await this.#followPause(this.get(name));
  }

  async pause(): Promise<void> {
    await this.redis.set(keys.paused, '1');
    for (const queue of await this.all()) await this.#followPause(queue);
  }

  async resume(): Promise<void> {
    await this.redis.del(keys.paused);
    for (const queue of await this.all()) await this.#followPause(queue);
  }

  async isPaused(): Promise<boolean> {
    return (await this.redis.exists(keys.paused)) === 1;
  }

  async close(): Promise<void> {
    for (const queue of this.#queues.values()) await queue.close();
  }

  /**
   * Pauses or resumes a queue. Others may pause or resume all queues at the same time, so that it looks again afterwards:
   * whoever acts last then acts by what holds.
   */
  async #followPause(queue: Queue<JobData>): Promise<void> {
    for (let isPaused = await this.isPaused(); ; ) {
      await (isPaused ? queue.pause() : queue.resume());
      const now = await this.isPaused();
      if (now === isPaused) return;
      isPaused = now;
    }
  }
}

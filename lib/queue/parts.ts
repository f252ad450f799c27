/** Remembers which jobs wait for a part, because campaigns share parts with the same contents. */
import type { Job as BullJob } from 'bullmq';
import type { Redis } from 'ioredis';
import { changeData } from './change-data.js';
import { bullPriority, type JobData } from './job-data.js';
import { KEPT_SECONDS } from './kept.js';
import { keys } from './redis.js';

export class Parts {
  constructor(private readonly redis: Redis) {}

  /** Returns the parts that a job has had in this run. */
  of(whole: string): Promise<string[]> {
    return this.redis.smembers(keys.parts(whole));
  }

  async has(whole: string, part: string): Promise<boolean> {
    return (await this.redis.sismember(keys.parts(whole), part)) === 1;
  }

  async add(whole: string, part: string): Promise<void> {
    await this.redis.sadd(keys.parts(whole), part);
    await this.redis.expire(keys.parts(whole), KEPT_SECONDS);
  }

  /** Forgets the parts of a job, so that its next run adds those that failed again. */
  async forget(whole: string): Promise<void> {
    await this.redis.del(keys.parts(whole));
  }

  /** Tells that a job waits for a part. This comes before the part is looked at, so that nobody cancels it afterwards. */
  async waitFor(part: string, whole: string): Promise<void> {
    await this.redis.sadd(keys.wholes(part), whole);
    await this.redis.expire(keys.wholes(part), KEPT_SECONDS);
  }

  /** Tells that a job waits for a part no more. Returns the jobs that still do. */
  async leave(part: string, whole: string): Promise<string[]> {
    await this.redis.srem(keys.wholes(part), whole);
    return this.redis.smembers(keys.wholes(part));
  }
}

/** Makes a part of one job the part of another one, if it is that still. The first one does not wait for it any more. */
export async function handOver(redis: Redis, part: BullJob<JobData>, from: string, to: string): Promise<void> {
  const isChanged = await changeData(redis, part, (data) =>
    data.parent === from ? { ...data, parent: to } : undefined,
  );
  if (isChanged && part.parentKey !== undefined) await part.removeChildDependency();
}

/** Gives a waiting part the priority of a job that needs it earlier than the one that added it. */
export async function hurry(redis: Redis, part: BullJob<JobData>, priority: number): Promise<void> {
  const isChanged = await changeData(redis, part, (data) =>
    data.cancelled || data.priority >= priority ? undefined : { ...data, priority },
  );
  if (!isChanged) return;
  // Another campaign may raise the data's priority meanwhile, and tell BullMQ first. `changeData` reads the data anew.
  let told: number;
  do {
    told = part.data.priority;
    await part.changePriority({ priority: bullPriority(told) });
    await changeData(redis, part, () => undefined);
  } while (part.data.priority !== told);
}

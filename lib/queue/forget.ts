/** Forgets jobs that ended long ago, with everything of theirs in Redis. Their results stay in the store. */
import type { Redis } from 'ioredis';
import type { BullQueues } from './bull-queues.js';
import { KEPT_SECONDS } from './kept.js';
import { keys } from './redis.js';

/** This many jobs are looked at in one go, so that a worker with a large backlog has time for other things. */
const MAX_AT_ONCE = 1000;

/** Forgets jobs that ended more than 30 days before `now`, in milliseconds. Returns their number. */
export async function forgetEnded(queues: BullQueues, redis: Redis, now: number): Promise<number> {
  const oldest = now - KEPT_SECONDS * 1000;
  // A job that was submitted later cannot have ended earlier.
  const ids = await redis.zrangebyscore(keys.jobs, '-inf', oldest, 'LIMIT', 0, MAX_AT_ONCE);
  let forgotten = 0;
  for (const id of ids) {
    const job = await queues.find(id);
    if (job && (job.finishedOn === undefined || job.finishedOn > oldest)) continue;
    await job?.remove({ removeChildren: false }); // Another campaign may need them.
    await redis.del(keys.events(id), keys.parts(id), keys.wholes(id), keys.plan(id));
    await redis.srem(keys.cancelled, id);
    await redis.srem(keys.cancelledWaiting, id);
    await redis.hdel(keys.queueOfJob, id);
    await redis.zrem(keys.jobs, id);
    forgotten++;
  }
  return forgotten;
}

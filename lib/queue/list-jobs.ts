/** Lists the jobs in Redis. */
import type { Redis } from 'ioredis';
import { InvalidOptionError } from '../core/errors.js';
import type { BullQueues } from './bull-queues.js';
import { describeJob } from './job-data.js';
import type { Job, JobFilter, JobPage } from './job-queue.js';
import { keys } from './redis.js';

/** Returns a page of jobs, the newest of which is the first. Throws ERR_INVALID_OPTION for an unknown `after`. */
export async function listJobs(redis: Redis, queues: BullQueues, filter: JobFilter): Promise<JobPage> {
  const { state, kind, limit, after } = filter;
  let rank = 0;
  if (after !== undefined) {
    const found = await redis.zrevrank(keys.jobs, after);
    if (found === null)
      throw new InvalidOptionError(`Expected the identifier of a job for after but received ${after}`);
    rank = found + 1;
  }
  const jobs: Job[] = [];
  for (;;) {
    const ids = await redis.zrevrange(keys.jobs, rank, rank + limit - 1);
    for (const id of ids) {
      if (jobs.length === limit) return { jobs, next: (jobs.at(-1) as Job).id };
      const found = await queues.find(id);
      if (!found) continue; // It was submitted in this moment, or it is being forgotten.
      const job = await describeJob(found);
      if ((state === undefined || job.state === state) && (kind === undefined || job.kind === kind)) jobs.push(job);
    }
    if (ids.length < limit) return { jobs };
    rank += ids.length;
  }
}

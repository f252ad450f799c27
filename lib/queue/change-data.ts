/** Changes the data of a job, which clients and the workers of other jobs change at the same time. */
import type { Job as BullJob } from 'bullmq';
import type { Redis } from 'ioredis';
import { jobNotFound } from './errors.js';
import type { JobData } from './job-data.js';

const FIELD = 'data';

const REPLACE = `
if redis.call('HGET', KEYS[1], '${FIELD}') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], '${FIELD}', ARGV[2])
return 1`;

/**
 * Replaces the data of a job by what `change` returns for the data that Redis has now. Otherwise a cancellation could be
 * lost between reading and writing. If `change` returns undefined, the data stays as it is and the result is false.
 * Throws ERR_JOB_NOT_FOUND if the job has been removed.
 */
export async function changeData(
  redis: Redis,
  job: BullJob<JobData>,
  change: (data: JobData) => JobData | undefined,
): Promise<boolean> {
  const id = job.id as string;
  const key = `${job.queueQualifiedName}:${id}`;
  for (;;) {
    const before = await redis.hget(key, FIELD);
    if (before === null) throw jobNotFound(id);
    job.data = JSON.parse(before) as JobData;
    const after = change(job.data);
    if (!after) return false;
    if ((await redis.eval(REPLACE, 1, key, before, JSON.stringify(after))) === 0) continue; // Somebody was faster.
    job.data = after;
    return true;
  }
}

/** Tells BullMQ that a job failed. */
import { type Job as BullJob, UnrecoverableError } from 'bullmq';
import { type JobData, reasonOf } from '../queue/job-data.js';
import type { JobFailure } from '../queue/job-queue.js';

/** A job that failed for a reason that may pass is tried this often, with growing pauses. */
const ATTEMPTS = 3;
const RETRY_AFTER_MS = 5000;

export interface FailJobOptions {
  /** The reason stays, so that the job is not tried again. */
  isFinal: boolean;
  /** The job is tried again after this time in milliseconds, and then after twice of it. */
  retryAfterMs?: number | undefined;
}

/** Fails a job that is locked with the token, or lets it wait for its next attempt. Returns whether it is tried again. */
export async function failJob(
  job: BullJob<JobData>,
  token: string,
  failure: JobFailure,
  { isFinal, retryAfterMs = RETRY_AFTER_MS }: FailJobOptions,
): Promise<boolean> {
  // Only workers that fail a job need these. In the queue, all jobs would carry them. Stack traces hold paths of this machine.
  Object.assign(job.opts, { attempts: ATTEMPTS, stackTraceLimit: 0 });
  job.opts.backoff = { type: 'exponential', delay: retryAfterMs };
  const reason = reasonOf(failure);
  await job.moveToFailed(isFinal ? new UnrecoverableError(reason) : new Error(reason), token, false);
  return !isFinal && job.attemptsMade < ATTEMPTS;
}

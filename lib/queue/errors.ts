/** Makes the errors of queues, which have the same codes in every implementation. */
import { DualAnoDiffError } from '../core/errors.js';
import type { Job, JobFailure } from './job-queue.js';

export const jobNotFound = (id: string) =>
  new DualAnoDiffError(`There is no job ${id}: list the jobs to find its identifier`, 'ERR_JOB_NOT_FOUND');

export const wrongState = ({ id, state }: Job, verb: 'cancel' | 'retry') =>
  new DualAnoDiffError(`Cannot ${verb} the job ${id}, because it is ${state}`, 'ERR_JOB_STATE');

export const queueFull = (limit: number) =>
  new DualAnoDiffError(`${limit} jobs are waiting already: submit again when some have ended`, 'ERR_QUEUE_FULL');

export const idempotencyConflict = (key: string, id: string) =>
  new DualAnoDiffError(
    `The idempotency key ${key} belongs to the job ${id}, which has another kind or other options: choose a new key`,
    'ERR_IDEMPOTENCY_CONFLICT',
  );

export const processesLost = (count: number): JobFailure => ({
  code: 'ERR_WORKER_LOST',
  message: `${count} processes ended while they ran the job, for example because it needs more memory than there is: look at the logs of the machine, and choose a smaller batch or resolution`,
});

/** Describes any error of a job, whatever was thrown. */
export function jobFailureOf(error: unknown): JobFailure {
  const code = error instanceof DualAnoDiffError ? error.code : 'ERR_UNEXPECTED';
  return { code, message: error instanceof Error ? error.message : String(error) };
}

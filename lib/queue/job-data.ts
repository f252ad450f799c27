/** Translates between the jobs of BullMQ and those of the service. */
import type { Job as BullJob } from 'bullmq';
import { z } from 'zod';
import { InvalidOptionError } from '../core/errors.js';
import { checkOptions, oneOf } from '../options/check.js';
import { jobKinds } from '../options/jobs.js';
import { datasetName, jobIdPattern } from '../options/requests.js';
import type { AssignedJob, Job, JobFailure, JobState } from './job-queue.js';

const digest = z.string('a SHA-256').regex(/^[0-9a-f]{64}$/, 'a SHA-256');

/** What BullMQ keeps of a job. Everybody who can write to Redis could have written it. */
const jobDataSchema = z.strictObject(
  {
    kind: oneOf(jobKinds),
    options: z.record(z.string(), z.unknown(), 'options by name'),
    datasets: z.record(datasetName(), digest, 'digests by name'),
    priority: z.int('an integer 0..100').min(0, 'an integer 0..100').max(100, 'an integer 0..100'),
    parent: z.string('an identifier').regex(jobIdPattern, 'an identifier').optional(),
    /** The fingerprint of the base with which the campaign of a part began. */
    fingerprint: z
      .string('a fingerprint')
      .regex(/^[0-9a-f]{1,128}$/, 'a fingerprint')
      .optional(),
    cancelled: z.boolean('true or false').optional(),
  },
  'the data of a job',
);
export type JobData = z.output<typeof jobDataSchema>;

/** Checks the data of a job. Throws ERR_INVALID_OPTION. */
export const checkJobData = (data: unknown): JobData => checkOptions(jobDataSchema, data);

/** BullMQ runs jobs with smaller numbers first, and 0 means no priority at all. */
export const bullPriority = (priority: number): number => 101 - priority;

const failureSchema = z.object({ code: z.string(), message: z.string() });

/** Writes a failure as the reason that BullMQ keeps. */
export const reasonOf = (failure: JobFailure): string => JSON.stringify(failure);

/** Reads the reason of a failure. BullMQ itself writes reasons, too, for example if workers died too often. */
export function failureOfReason(reason: string): JobFailure {
  try {
    return failureSchema.parse(JSON.parse(reason));
  } catch {
    return { code: 'ERR_WORKER_LOST', message: `${reason}: look at the logs of the workers` };
  }
}

/** A campaign that waits for its parts is running, too. */
const STATES: Record<string, JobState> = {
  ...{ active: 'running', 'waiting-children': 'running', completed: 'completed', failed: 'failed' },
};

function stateOf(bullState: string, { data, failedReason, finishedOn }: BullJob<JobData>): JobState {
  const state = STATES[bullState] ?? 'queued';
  // The state is read after the data, so that the job may have ended in between, and its result is not in the data yet.
  if ((state === 'completed' || state === 'failed') && finishedOn === undefined) return 'running';
  if (state === 'failed' && failureOfReason(failedReason).code === 'ERR_ABORTED') return 'cancelled';
  return state === 'queued' && data.cancelled ? 'cancelled' : state;
}

const timeOf = (time: number) => new Date(time).toISOString();

/** Describes a job of BullMQ, whose state is looked up. Throws ERR_INVALID_OPTION for a job that was not written by the service. */
export async function describeJob(job: BullJob<JobData>): Promise<Job> {
  const assigned = assignedJobOf(job);
  const state = stateOf(await job.getState(), job);
  const { attemptsStarted: attempts, processedOn, finishedOn, failedReason, returnvalue } = job;
  const { parent } = job.data;
  return {
    ...{ ...assigned, state, attempts, created: timeOf(job.timestamp) },
    ...(processedOn && { started: timeOf(processedOn) }),
    ...(finishedOn && state !== 'queued' && { finished: timeOf(finishedOn) }),
    ...(parent !== undefined && { parent }),
    ...(state === 'completed' && { result: returnvalue }),
    ...(state === 'failed' && { error: failureOfReason(failedReason) }),
  };
}

/** Reads what the worker of a job needs to know. Throws ERR_INVALID_OPTION for a job that was not written by the service. */
export function assignedJobOf({ id = '', data }: BullJob<JobData>): AssignedJob {
  const { kind, options, datasets, priority } = checkJobData(data);
  if (!jobIdPattern.test(id)) throw new InvalidOptionError(`Expected 32 hexadecimal digits but received ${id}`);
  return { id, kind, options, datasets, priority };
}

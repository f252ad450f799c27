/**
 * Declares the queue of the service. `serve` knows only this interface. One implementation runs jobs in the process of
 * the service, and another one hands them to workers over Redis.
 */
import type { JobEvent } from '../jobs/job.js';
import type { JobKind } from '../options/jobs.js';
import type { WorkerDescription } from './workers.js';

export const jobStates = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

/** Returns whether a job is neither waiting nor running. */
export const hasEnded = ({ state }: { state: JobState }): boolean => state !== 'queued' && state !== 'running';

/** Describes why a job failed. */
export interface JobFailure {
  /** This is the code of the `DualAnoDiffError`, or ERR_UNEXPECTED. */
  code: string;
  message: string;
}

/** Holds what a client asks for. The options have passed `checkRequest` and hold names instead of paths. */
export interface JobRequest {
  kind: JobKind;
  options: Record<string, unknown>;
}

export interface Submission extends JobRequest {
  /** The digests that the datasets named in the options had at the submission, by name. The job uses these contents. */
  datasets: Record<string, string>;
  /** Jobs with a larger number start earlier, 0 to 100. */
  priority: number;
  /** A second submission with the same key returns the first one's job. */
  idempotencyKey?: string;
}

/** Describes a job at one moment. It can be written as JSON. */
export interface Job extends JobRequest {
  /** 32 hexadecimal digits. */
  id: string;
  datasets: Record<string, string>;
  priority: number;
  state: JobState;
  /** The times are in ISO 8601. */
  created: string;
  started?: string;
  finished?: string;
  /** The number of times that the job was started. Each step of a campaign on a queue is a start. */
  attempts: number;
  /** The job that this one is a part of. */
  parent?: string;
  /** A completed job has a result. It holds no paths of the machine that ran the job. */
  result?: object;
  /** A failed job has an error. */
  error?: JobFailure;
}

/** What the worker of a job needs to know of it. */
export type AssignedJob = Pick<Job, 'id' | 'kind' | 'options' | 'datasets' | 'priority'>;

/** Tells that a file of the job can be fetched. The path is relative to the job's files. */
export interface FileEvent {
  event: 'file';
  path: string;
}

/**
 * Tells that a job was queued, started, or handed back. A job that ends within some milliseconds of its start and tells
 * of nothing else may have no event of its start.
 */
export interface StateEvent {
  event: 'state';
  state: 'queued' | 'running';
}

/** Ends the events of a job. A retried job has further events after it. */
export interface EndEvent {
  event: 'end';
  state: 'completed' | 'failed' | 'cancelled';
  result?: object;
  error?: JobFailure;
}

export type QueueEvent = JobEvent | FileEvent | StateEvent | EndEvent;

/** An event with the identifier by which a client continues after it. */
export interface StoredEvent {
  id: string;
  event: QueueEvent;
}

/** Selects a page of the list of jobs. */
export interface JobFilter {
  state?: JobState | undefined;
  kind?: JobKind | undefined;
  /** The largest number of jobs in the page. */
  limit: number;
  /** The page starts after the job with this identifier. */
  after?: string | undefined;
}

export interface JobPage {
  /** The newest job is the first. */
  jobs: Job[];
  /** The `after` of the next page. The last page has none. */
  next?: string;
}

export interface JobQueue extends AsyncDisposable {
  /**
   * Adds a job. Throws ERR_QUEUE_FULL if too many jobs wait, and ERR_IDEMPOTENCY_CONFLICT if the key belongs to a job
   * of another kind or with other options.
   */
  submit(submission: Submission): Promise<Job>;
  /** Returns a job. Throws ERR_JOB_NOT_FOUND. */
  get(id: string): Promise<Job>;
  /** Lists jobs. Throws ERR_INVALID_OPTION for an unknown `after`. */
  list(filter: JobFilter): Promise<JobPage>;
  /**
   * Cancels a queued job at once and a running one within a step, and returns it. A running job stays `running` until
   * it has ended. Throws ERR_JOB_NOT_FOUND, and ERR_JOB_STATE if the job has ended.
   */
  cancel(id: string): Promise<Job>;
  /**
   * Queues a failed or cancelled job again. It keeps its finished work. Throws ERR_JOB_NOT_FOUND, and ERR_JOB_STATE for
   * other jobs.
   */
  retry(id: string): Promise<Job>;
  /** Starts no further jobs until `resume`. Running jobs go on. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  isPaused(): Promise<boolean>;
  /**
   * Yields the events of a job after the one with the identifier `after`, or all that are kept, and then new ones as
   * they come. It returns after the `end` event of an ended job, and when the signal fires. Throws ERR_JOB_NOT_FOUND,
   * and ERR_INVALID_OPTION for an `after` that no event can have.
   */
  events(id: string, options: { after?: string | undefined; signal: AbortSignal }): AsyncIterable<StoredEvent>;
  /** Calls the listener with each job that ends from now on. */
  onEnd(listener: (job: Job) => void): void;
  /** Returns the number of jobs in each state. */
  counts(): Promise<Record<JobState, number>>;
  /** Describes the workers that take jobs off the queue now. */
  workers(): Promise<WorkerDescription[]>;
}

/** Tells a running job's queue what happens, and the job when to end. */
export interface RunContext {
  signal: AbortSignal;
  onEvent(event: JobEvent | FileEvent): void;
  /** Tells that the store has new work of the job, from which its next run would go on. */
  onWorkKept?(): void;
  /** Returns false once another worker has taken the job over, so that this one must write nothing more. */
  isOwner?(): Promise<boolean>;
  /** The job must use a base with this fingerprint, because other parts of its campaign do. */
  fingerprint?: string;
  /** Puts finished work of other jobs into the folder of the job's files before it starts. */
  prepare?(folder: string): Promise<void>;
}

/**
 * Runs a job: it fetches what the job's names stand for, calls the function of `lib/jobs` with `resume`, and publishes
 * the result. Returns the result without paths of this machine. Throws the errors of the job.
 */
export type RunJob = (job: AssignedJob, context: RunContext) => Promise<object>;

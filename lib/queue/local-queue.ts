/** Runs jobs in this process, one at a time. It is the queue of a service without Redis. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { AbortedError } from '../core/errors.js';
import { lockFolder, type WriteLock } from '../core/write-lock.js';
import { idempotencyConflict, jobFailureOf, jobNotFound, processesLost, queueFull, wrongState } from './errors.js';
import type { EventLog } from './event-log.js';
import { JobFiles } from './job-files.js';
import { jobIdOf } from './job-ids.js';
import { pageOf } from './job-page.js';
import {
  type EndEvent,
  hasEnded,
  type Job,
  type JobFilter,
  type JobPage,
  type JobQueue,
  type JobState,
  jobStates,
  type RunJob,
  type StoredEvent,
  type Submission,
} from './job-queue.js';
import { KEPT_SECONDS, MAX_ENDED } from './kept.js';
import { thinProgress } from './thin-progress.js';
import type { Capabilities, WorkerDescription, WorkerStatus } from './workers.js';

export interface LocalQueueOptions {
  /** The folder for the jobs and their events. Only one process at a time uses it. */
  folder: string;
  run: RunJob;
  /** At most this number of jobs may wait. */
  maxQueued: number;
  /** Describes this machine, which is the only worker, and what it does now. */
  describe(): Promise<Capabilities & Partial<WorkerStatus>>;
  /** The newest ended jobs are kept, up to this number of them. */
  maxEnded?: number;
  /** Receives errors that no caller can receive, such as a full disk while a job runs. */
  onError(error: unknown): void;
}

interface RunningJob {
  abort: AbortController;
  /** The state that the job gets when it has ended because of the abort. */
  nextState: 'cancelled' | 'queued';
}

/**
 * A job that ends the process each time, for example because it needs too much memory, must not do that for ever. The
 * number is small because all other jobs wait meanwhile.
 */
const MAX_LOST_PROCESSES = 5;

const now = () => new Date().toISOString();

export class LocalQueue implements JobQueue {
  /** The oldest job is the first. */
  readonly #jobs = new Map<string, Job>();
  /** The logs of jobs that have not ended. */
  readonly #logs = new Map<string, EventLog>();
  readonly #files: JobFiles;
  readonly #listeners: ((job: Job) => void)[] = [];
  #running: (RunningJob & { id: string }) | undefined;
  #work: Promise<void> | undefined;
  #isPaused: boolean;
  readonly #id = randomUUID();
  readonly #since = now();
  #isStarted = false;

  private constructor(
    private readonly options: LocalQueueOptions,
    private readonly lock: WriteLock,
  ) {
    this.#files = new JobFiles(options.folder);
    this.#isPaused = this.#files.isPaused();
  }

  /** Opens the jobs of a folder. Queued and interrupted ones wait for `start`. Throws ERR_BUSY and ERR_FILE_ACCESS. */
  static async open(options: LocalQueueOptions): Promise<LocalQueue> {
    const lock = await lockFolder(options.folder);
    try {
      const queue = new LocalQueue(options, lock);
      await queue.#read();
      await queue.#forgetEnded();
      return queue;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Starts to run jobs, and fails those that ended too many processes. Listeners that were added before hear of all ends. */
  start(): void {
    this.#isStarted = true;
    for (const job of this.#jobs.values()) {
      const lost = this.#files.lostProcesses(job.id);
      if (job.state !== 'queued' || lost <= MAX_LOST_PROCESSES) continue;
      const end: EndEvent = { event: 'end', state: 'failed', error: processesLost(lost) };
      this.#end(job, end).catch((error) => this.options.onError(error));
    }
    this.#continue();
  }

  async submit({ idempotencyKey, ...submission }: Submission): Promise<Job> {
    const id = jobIdOf(idempotencyKey);
    const before = this.#jobs.get(id);
    if (before) {
      const { kind, options } = before;
      const isSame = isDeepStrictEqual({ kind, options }, { kind: submission.kind, options: submission.options });
      if (!isSame) throw idempotencyConflict(idempotencyKey as string, id);
      return { ...before };
    }
    const { maxQueued } = this.options;
    if (this.#count('queued') >= maxQueued) throw queueFull(maxQueued);
    const job: Job = { id, ...submission, state: 'queued', created: now(), attempts: 0 };
    this.#jobs.set(id, job);
    try {
      await this.#queue(job, this.#files.createLog(id));
    } catch (error) {
      this.#jobs.delete(id);
      throw error;
    }
    return { ...job };
  }

  async get(id: string): Promise<Job> {
    return { ...this.#find(id) };
  }

  async list(filter: JobFilter): Promise<JobPage> {
    return pageOf(this.#jobs.values(), filter);
  }

  async cancel(id: string): Promise<Job> {
    const job = this.#find(id);
    if (this.#running?.id === id) {
      this.#running.nextState = 'cancelled';
      this.#running.abort.abort(new AbortedError());
    } else if (job.state === 'queued') await this.#end(job, { event: 'end', state: 'cancelled' });
    else throw wrongState(job, 'cancel');
    return { ...job };
  }

  async retry(id: string): Promise<Job> {
    const job = this.#find(id);
    const log = this.#logs.get(id) ?? (await this.#files.openLog(id));
    if (job.state !== 'failed' && job.state !== 'cancelled') throw wrongState(job, 'retry');
    const before = { ...job };
    const lost = this.#files.lostProcesses(id);
    this.#files.setLostProcesses(id, 0); // Somebody has retried it, so that it has all its chances again.
    job.state = 'queued';
    delete job.error;
    delete job.finished;
    try {
      await this.#queue(job, log);
    } catch (error) {
      // The client is told that the job is not retried, so that it must not run later.
      if (job.state === 'queued') {
        Object.assign(job, before);
        this.#files.setLostProcesses(id, lost);
        this.#logs.delete(id);
        await this.#files.save(job).catch(() => {});
      }
      throw error;
    }
    return { ...job };
  }

  async pause(): Promise<void> {
    const before = this.#isPaused;
    this.#isPaused = true;
    try {
      await this.#files.setPaused(true);
    } catch (error) {
      this.#isPaused = before;
      this.#continue();
      throw error;
    }
  }

  async resume(): Promise<void> {
    await this.#files.setPaused(false);
    this.#isPaused = false;
    this.#continue();
  }

  async isPaused(): Promise<boolean> {
    return this.#isPaused;
  }

  async *events(
    id: string,
    { after, signal }: { after?: string | undefined; signal: AbortSignal },
  ): AsyncGenerator<StoredEvent, void, undefined> {
    this.#find(id);
    const log = this.#logs.get(id) ?? (await this.#files.openLog(id));
    yield* log.after(after, signal);
  }

  onEnd(listener: (job: Job) => void): void {
    this.#listeners.push(listener);
  }

  async counts(): Promise<Record<JobState, number>> {
    return Object.fromEntries(jobStates.map((state) => [state, this.#count(state)])) as Record<JobState, number>;
  }

  async workers(): Promise<WorkerDescription[]> {
    const jobs = this.#running ? [this.#running.id] : [];
    return [{ id: this.#id, rates: [], ...(await this.options.describe()), since: this.#since, jobs }];
  }

  /** Hands the running job back to the queue at its next checkpoint, so that the next process continues it. */
  stop(): void {
    this.#isStarted = false;
    this.#running?.abort.abort(new AbortedError());
  }

  /** Stops, and waits for the running job. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.#work;
    await this.lock.release();
  }

  #find(id: string): Job {
    const job = this.#jobs.get(id);
    if (!job) throw jobNotFound(id);
    return job;
  }

  #count(state: JobState): number {
    let count = 0;
    for (const job of this.#jobs.values()) if (job.state === state) count++;
    return count;
  }

  async #read(): Promise<void> {
    for (const job of await this.#files.read()) {
      this.#jobs.set(job.id, job);
      if (job.state !== 'queued' && job.state !== 'running') continue;
      const wasRunning = job.state === 'running';
      job.state = 'queued';
      const log = await this.#files.openLog(job.id);
      this.#logs.set(job.id, log);
      if (!wasRunning) continue;
      await this.#files.save(job); // The process that died counts once.
      await log.append({ event: 'state', state: 'queued' });
    }
  }

  /** Saves a job that waits now, and starts it at its turn. */
  async #queue(job: Job, log: EventLog): Promise<void> {
    this.#logs.set(job.id, log);
    await this.#files.save(job); // Nothing may tell of it if this fails.
    await log.append({ event: 'state', state: 'queued' });
    this.#continue();
  }

  /** Works on the queued jobs unless that happens already. */
  #continue(): void {
    if (this.#work === undefined && this.#next()) this.#work = this.#runQueued();
  }

  async #runQueued(): Promise<void> {
    for (let job = this.#next(); job; job = this.#next()) {
      await this.#run(job).catch((error) => this.options.onError(error));
    }
    this.#work = undefined;
  }

  /** Returns the oldest of the queued jobs with the highest priority. */
  #next(): Job | undefined {
    if (this.#isPaused || !this.#isStarted) return undefined;
    let next: Job | undefined;
    for (const job of this.#jobs.values()) {
      if (job.state === 'queued' && job.priority > (next?.priority ?? -1)) next = job;
    }
    return next;
  }

  async #run(job: Job): Promise<void> {
    const log = this.#logs.get(job.id) as EventLog;
    const running = { id: job.id, abort: new AbortController(), nextState: 'queued' as RunningJob['nextState'] };
    this.#running = running;
    Object.assign(job, { state: 'running', started: now(), attempts: job.attempts + 1 });
    const report = (event: Parameters<EventLog['append']>[0]) => {
      log.append(event).catch((error) => this.options.onError(error));
    };
    report({ event: 'state', state: 'running' });
    try {
      await this.#files.save(job);
      const { signal } = running.abort;
      const onWorkKept = () => this.#forgetLost(job).catch((error) => this.options.onError(error));
      const result = await this.options.run({ ...job }, { signal, onEvent: thinProgress(report), onWorkKept });
      this.#running = undefined;
      await this.#end(job, { event: 'end', state: 'completed', result });
    } catch (error) {
      this.#running = undefined;
      if (job.state !== 'running') throw error; // The job has ended, and its end could not be written.
      const { aborted } = running.abort.signal;
      if (!aborted) await this.#end(job, { event: 'end', state: 'failed', error: jobFailureOf(error) });
      else if (running.nextState === 'cancelled') await this.#end(job, { event: 'end', state: 'cancelled' });
      else {
        job.state = 'queued';
        report({ event: 'state', state: 'queued' });
        await this.#files.save(job);
      }
    }
  }

  /** A job that comes further each time may lose any number of processes. */
  async #forgetLost(job: Job): Promise<void> {
    const lost = this.#files.lostProcesses(job.id);
    if (lost === 0) return;
    this.#files.setLostProcesses(job.id, 0);
    try {
      await this.#files.save(job);
    } catch (error) {
      this.#files.setLostProcesses(job.id, lost); // It is saved with the next new work.
      throw error;
    }
  }

  async #end(job: Job, end: EndEvent): Promise<void> {
    const { event: _, ...outcome } = end;
    Object.assign(job, outcome, { finished: now() });
    for (const listener of this.#listeners) listener({ ...job });
    const log = this.#logs.get(job.id) as EventLog;
    await Promise.all([this.#files.save(job), log.append(end)]);
    if (job.state === end.state) this.#logs.delete(job.id); // The job may have been queued again in the meantime.
    await this.#forgetEnded();
  }

  /** Forgets the jobs that ended long ago, and those beyond the number that is kept. Their results stay in the store. */
  async #forgetEnded(): Promise<void> {
    const ended = [...this.#jobs.values()].filter(hasEnded);
    const extra = ended.length - (this.options.maxEnded ?? MAX_ENDED);
    const oldest = Date.now() - KEPT_SECONDS * 1000;
    for (const [index, { id, finished }] of ended.entries()) {
      if (index >= extra && Date.parse(finished as string) >= oldest) continue;
      this.#jobs.delete(id);
      await this.#files.remove(id);
    }
  }
}

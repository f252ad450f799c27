/** Runs one job that a worker has taken, and tells the queue how it ended. */
import type { Job as BullJob } from 'bullmq';
import { AbortedError, DualAnoDiffError } from '../core/errors.js';
import { jobFailureOf } from '../queue/errors.js';
import { assignedJobOf, type JobData } from '../queue/job-data.js';
import type { AssignedJob, QueueEvent, RunContext, RunJob } from '../queue/job-queue.js';
import type { FlowStep } from './campaign-flow.js';
import type { EventSender } from './event-sender.js';
import { failJob } from './fail-job.js';

/** Errors with these codes may pass, so that the job is tried again. Others would come again. */
const PASSING = new Set([
  ...['ERR_STORE_ACCESS', 'ERR_STORE_DAMAGED', 'ERR_FILE_ACCESS', 'ERR_BUSY', 'ERR_OUT_OF_MEMORY'],
  ...['ERR_DEVICE_UNAVAILABLE', 'ERR_QUEUE_UNAVAILABLE', 'ERR_UNEXPECTED'],
]);

/** Why a running job is ended. */
export type EndReason = 'cancelled' | 'lost' | 'handed back';

/** What all jobs of a worker share. An object for each job would cost much of the time of a job of no work. */
export interface RunningJobSettings {
  lockMs: number;
  run: RunJob;
  /** Takes the next step of a campaign, which may consist of other jobs. */
  step(bullJob: BullJob<JobData>, token: string, job: AssignedJob): Promise<FlowStep>;
  events: EventSender;
  /** A job whose failure may pass is tried again after this time in milliseconds, and then after twice of it. */
  retryAfterMs?: number | undefined;
  isCancelled(id: string): Promise<boolean>;
  /** Begins anew to count the workers that the job loses. */
  forgetLost(bullJob: BullJob<JobData>): Promise<void>;
  onNote(message: string): void;
}

export class RunningJob {
  readonly #control = new AbortController();
  readonly #tell: (event: QueueEvent) => void;
  /** True if the job has told of its work. */
  #hasTold = false;
  #reason: EndReason | undefined;

  constructor(
    private readonly bullJob: BullJob<JobData>,
    /** The lock of the job has this token. */
    private readonly token: string,
    private readonly settings: RunningJobSettings,
  ) {
    this.#tell = settings.events.of(bullJob.id ?? '');
  }

  /** Ends the job within a step. The first reason counts. */
  end(reason: EndReason): void {
    this.#reason ??= reason;
    this.#control.abort(new AbortedError({ cause: new Error(`The job is ${this.#reason}`) }));
  }

  /**
   * Runs the job to its end. It never throws, because the worker must go on. If `fetchesNext` returns true, the queue
   * gives the next job in the same request that completes this one, and the result is what BullMQ returns for it.
   */
  async work(fetchesNext: () => boolean): Promise<unknown[] | undefined> {
    try {
      return await this.#run(fetchesNext);
    } catch (error) {
      await this.#settle(error).catch((failure: Error) => {
        // The lock was lost in the meantime. The job is then somebody else's.
        this.settings.onNote(`job ${this.bullJob.id}: ${failure.message}`);
      });
      return undefined;
    }
  }

  async #run(fetchesNext: () => boolean): Promise<unknown[] | undefined> {
    const { bullJob, token } = this;
    const { run, step, events, onNote } = this.settings;
    const job = this.#begin();
    onNote(`job ${job.id}: ${job.kind}`);
    const next = await step(bullJob, token, job);
    if (next.next === 'wait') {
      onNote(`job ${job.id}: waits for its parts`);
      return undefined;
    }
    const result = next.next === 'complete' ? next.result : await run(job, this.#contextOf(next));
    // Redis does what it is sent in this order. The events of jobs of no work can wait for those of others.
    if (this.#hasTold) events.send();
    const following = await bullJob.moveToCompleted(result, token, fetchesNext());
    this.#tell({ event: 'end', state: 'completed', result });
    if (this.#hasTold) events.send();
    onNote(`job ${job.id}: completed`);
    return following ?? undefined;
  }

  #contextOf({ prepare }: Extract<FlowStep, { next: 'run' }>): RunContext {
    const { fingerprint } = this.bullJob.data;
    const control = this.#control;
    const context: RunContext = {
      // Node makes the signal when it is asked for. That takes a fortieth of the time of a job of no work.
      get signal() {
        return control.signal;
      },
      onEvent: (event) => {
        this.#hasTold = true;
        this.#tell(event);
      },
      onWorkKept: () => this.#forgetLost(),
      isOwner: () => this.#isOwner(),
    };
    if (prepare) context.prepare = prepare;
    if (fingerprint !== undefined) context.fingerprint = fingerprint;
    return context;
  }

  #begin(): AssignedJob {
    const { deferredFailure, data } = this.bullJob;
    if (deferredFailure) throw new DualAnoDiffError(deferredFailure, 'ERR_WORKER_LOST');
    if (data?.cancelled) throw new AbortedError();
    const job = assignedJobOf(this.bullJob);
    this.#tell({ event: 'state', state: 'running' });
    return job;
  }

  /** A job that comes further each time may lose any number of workers. */
  #forgetLost(): void {
    const { bullJob } = this;
    if (bullJob.stalledCounter === 0) return;
    const forgotten = () => {
      bullJob.stalledCounter = 0;
    };
    this.settings.forgetLost(bullJob).then(forgotten, () => {}); // It is told again with the next new work.
  }

  async #isOwner(): Promise<boolean> {
    return Number(await this.bullJob.extendLock(this.token, this.settings.lockMs)) === 1;
  }

  /** Keeps the job for this worker. It ends the job if that is lost or cancelled. */
  async renew(): Promise<void> {
    if (!(await this.#isOwner().catch(() => true))) this.end('lost'); // Without a connection nothing is known.
    // The message is lost if this worker was not connected when it was sent.
    if (await this.settings.isCancelled(this.bullJob.id ?? '').catch(() => false)) this.end('cancelled');
  }

  /** Tells the queue why the job did not complete. */
  async #settle(error: unknown): Promise<void> {
    const { events, onNote } = this.settings;
    const { bullJob, token } = this;
    const { id } = bullJob;
    if (this.#reason === 'lost') return onNote(`job ${id}: another worker has taken it over`);
    if (this.#reason === 'handed back') {
      if (!(await this.#isOwner())) return onNote(`job ${id}: another worker has taken it over`);
      this.#tell({ event: 'state', state: 'queued' });
      events.send(); // Another worker may start the job at once.
      await bullJob.moveToWait(token);
      return onNote(`job ${id}: handed back`);
    }
    const isCancelled = this.#reason === 'cancelled' || error instanceof AbortedError;
    const failure = jobFailureOf(isCancelled ? new AbortedError() : error);
    const { code, message } = failure;
    onNote(`job ${id}: ${message} (${code})`);
    events.send();
    const options = { isFinal: !PASSING.has(code), retryAfterMs: this.settings.retryAfterMs };
    if (await failJob(bullJob, token, failure, options)) {
      this.#tell({ event: 'warning', message: `${message} (${code}). The job is tried again.` });
      this.#tell({ event: 'state', state: 'queued' });
    } else if (isCancelled) this.#tell({ event: 'end', state: 'cancelled' });
    else this.#tell({ event: 'end', state: 'failed', error: failure });
    events.send();
  }
}

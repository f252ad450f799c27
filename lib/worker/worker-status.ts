/** Measures how fast the jobs of a worker go on, and the memory of its GPU. */

import type { JobEvent } from '../jobs/job.js';
import { getEngine } from '../native.js';
import type { RunContext, RunJob } from '../queue/job-queue.js';
import type { WorkerStatus } from '../queue/workers.js';

/** Rates are averages over this time. */
const WINDOW_MS = 60_000;
/** These stages tell how fast a machine is. Others take moments, or wait for the disk. */
const STAGES: readonly string[] = ['train', 'sample', 'evaluate', 'fit', 'detect'];

interface Stage {
  stage: string;
  unit: string;
  /** The units that were done, and when. The times are in milliseconds. */
  steps: { at: number; done: number }[];
}

export class StatusMeter {
  readonly #stages = new Map<string, Stage>();
  #gpuUsedBytes: number | undefined;

  /** `now` returns the time in milliseconds. */
  constructor(
    private readonly hasGpu: boolean,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Returns a function that runs jobs and is measured. */
  watch(run: RunJob): RunJob {
    return (job, context) => run(job, { ...context, onEvent: this.#listen(context) });
  }

  /** Returns what was measured last. The memory is that of the time before, because asking may take as long as a step. */
  read(): WorkerStatus {
    if (this.hasGpu) this.#measureGpu().catch(() => {}); // The job itself reports a GPU that fails.
    return { rates: this.#rates(), ...(this.#gpuUsedBytes !== undefined && { gpuUsedBytes: this.#gpuUsedBytes }) };
  }

  #listen({ onEvent }: RunContext): RunContext['onEvent'] {
    /** The progress of each part of the job, because a job may have several stages and types. */
    const before = new Map<string, number>();
    return (event) => {
      if (event.event === 'progress' && STAGES.includes(event.stage)) this.#add(event, before);
      onEvent(event);
    };
  }

  #add(event: JobEvent & { event: 'progress' }, before: Map<string, number>): void {
    const { stage, unit, type, category, doneBefore = 0 } = event;
    const done = event.done - doneBefore;
    const part = JSON.stringify([stage, type, category]);
    const last = before.get(part);
    before.set(part, done);
    if (last === undefined || done < last) return; // A resumed job begins with what was done long ago.
    const found = this.#stages.get(stage) ?? { stage, unit, steps: [] };
    found.steps = [...this.#recent(found), { at: this.now(), done: done - last }];
    this.#stages.set(stage, found);
  }

  #recent({ steps }: Stage): Stage['steps'] {
    const from = this.now() - WINDOW_MS;
    return steps.filter(({ at }) => at > from);
  }

  #rates(): WorkerStatus['rates'] {
    const all = [...this.#stages.values()].map((stage) => ({ ...stage, steps: this.#recent(stage) }));
    return all
      .filter(({ steps }) => steps.length > 0)
      .map(({ stage, unit, steps }) => {
        const done = steps.reduce((sum, step) => sum + step.done, 0);
        return { stage, unit, perSecond: (done * 1000) / WINDOW_MS };
      });
  }

  async #measureGpu(): Promise<void> {
    const engine = await getEngine();
    const { totalBytes, freeBytes } = await engine.deviceInfo(new engine.Task(0));
    this.#gpuUsedBytes = totalBytes - freeBytes;
  }
}

/** Serves a queue until it is told to stop. */
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidOptionError } from '../core/errors.js';
import { checkOptions } from '../options/check.js';
import { workerSchema } from '../options/worker.js';
import type { AssignedJob } from '../queue/job-queue.js';
import { openStore } from '../store/open.js';
import { nextStep } from './campaign-flow.js';
import { findCapabilities, freeMemory } from './capabilities.js';
import { memoryOf } from './inputs.js';
import { QueueWorker } from './queue-worker.js';
import { JobRunner } from './run-job.js';
import { StatusMeter } from './worker-status.js';

export interface WorkerContext {
  /** Ends the worker. Its jobs reach a checkpoint and go back to the queue. */
  signal: AbortSignal;
  /** Tells people what happens. */
  onNote(message: string): void;
}

/**
 * Takes jobs off the queue until the signal fires. Throws ERR_INVALID_OPTION, ERR_QUEUE_UNAVAILABLE if Redis cannot be
 * reached at the start, ERR_LIBTORCH_MISSING, and ERR_FILE_ACCESS.
 */
export async function runWorker(options: unknown, { signal, onNote }: WorkerContext): Promise<void> {
  const checked = checkOptions(workerSchema, options);
  const {
    bases,
    concurrency,
    copySeconds,
    lockSeconds,
    pairsPerPart,
    workFolder = join(tmpdir(), 'dualanodiff-jobs'),
  } = checked;
  const redis = checked.redis ?? process.env.DUALANODIFF_REDIS;
  if (!redis) throw new InvalidOptionError('Expected redis://HOST:PORT for redis, or in DUALANODIFF_REDIS');
  const store = await openStore(checked.store);
  const capabilities = await findCapabilities(bases);
  const { device, bases: names } = capabilities;
  await using runner = await JobRunner.open({ store, workFolder, bases, copyEveryMs: copySeconds * 1000 });
  const meter = new StatusMeter(device !== 'cpu');
  const flow = { store, pairsPerPart, factsOf: (job: AssignedJob) => runner.factsOf(job) };
  await using worker = await QueueWorker.start({
    ...{ redis, concurrency, lockMs: lockSeconds * 1000, capabilities, freeBytes: freeMemory, onNote },
    memoryOf: (request) => memoryOf(request, bases),
    run: meter.watch((job, context) => runner.run(job, context)),
    status: () => meter.read(),
    step: (queue, bullJob, token, job) => runner.withoutPaths(() => nextStep(bullJob, token, job, { ...flow, queue })),
  });
  onNote(`worker ${worker.id} on ${device} takes jobs of ${['the embedded base', ...names].join(', ')}`);
  if (!signal.aborted) await once(signal, 'abort');
  onNote('the worker ends: running jobs go back to the queue');
}

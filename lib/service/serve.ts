/** Runs the service until it is told to stop. */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyBaseLogger } from 'fastify';
import { InvalidOptionError, withFileErrors } from '../core/errors.js';
import { packageRoot } from '../core/paths.js';
import { checkOptions } from '../options/check.js';
import { type ServeOptions, serveSchema } from '../options/service.js';
import { BullQueue } from '../queue/bull-queue.js';
import type { JobQueue } from '../queue/job-queue.js';
import { LocalQueue } from '../queue/local-queue.js';
import { FolderStore } from '../store/folder-store.js';
import { openStore } from '../store/open.js';
import type { Store } from '../store/store.js';
import { JobRunner } from '../worker/run-job.js';
import { WorkFolder } from '../worker/work-folder.js';
import { Metrics } from './metrics.js';
import { createServer } from './server.js';
import { requireTokens, Tokens } from './tokens.js';
import { WorkerProcesses } from './worker-processes.js';

const MEGABYTE = 1_000_000;
/** Requests that are still being answered have this time when the service stops. */
const STOP_MS = 10_000;
/** New files of a running job can be fetched after this time. */
const COPY_EVERY_MS = 1000;

const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };

export interface ServeContext {
  /** Stops the service. A job in this process reaches a checkpoint, and goes on when the service starts again. */
  signal: AbortSignal;
  /** Receives the address at which the service listens. */
  onListening(address: string): void;
  /** Receives the lines of the log. */
  log?: { write(line: string): void };
}

interface OpenQueue extends AsyncDisposable {
  queue: JobQueue;
  /** Hands a job that runs in this process back to the queue. */
  stop(): void;
}

const redisOf = ({ redis }: ServeOptions) => redis ?? (process.env.DUALANODIFF_REDIS || undefined);

/** Starts the workers of this machine. Without Redis, jobs run in this process. */
function startWorkers(options: ServeOptions, workFolder: string, log: FastifyBaseLogger): WorkerProcesses {
  const { workers: count, store, bases } = options;
  const flags = ['--store', store, '--work-folder', join(workFolder, 'jobs')];
  if (bases !== undefined) flags.push('--bases', bases);
  const onNote = (worker: number, message: string) => log.info({ worker }, message);
  return new WorkerProcesses({ count, redis: redisOf(options) ?? '', flags, onNote });
}

/** Opens the queue in Redis, or one that runs the jobs in this process. */
async function openQueue(
  options: ServeOptions,
  store: Store,
  workFolder: string,
  onError: (error: unknown) => void,
): Promise<OpenQueue> {
  const { maxQueued, bases } = options;
  const redis = redisOf(options);
  if (redis !== undefined) {
    const queue = await BullQueue.open(redis, { maxQueued });
    return { queue, stop() {}, [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose]() }; // Workers run the jobs.
  }
  if (!(store instanceof FolderStore)) {
    throw new InvalidOptionError(
      `Expected redis with the store ${store.place}: jobs in the process of the service need a folder`,
    );
  }
  const runner = await JobRunner.open({ store, workFolder, bases, copyEveryMs: COPY_EVERY_MS });
  try {
    const run = runner.run.bind(runner);
    const queue = await LocalQueue.open({ folder: join(store.place, 'queue'), run, maxQueued, onError });
    return {
      queue,
      stop: () => queue.stop(),
      async [Symbol.asyncDispose]() {
        await queue[Symbol.asyncDispose]();
        await runner[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await runner[Symbol.asyncDispose]();
    throw error;
  }
}

const stopped = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/**
 * Serves jobs over HTTP until the signal fires. Throws ERR_INVALID_OPTION, ERR_BUSY if another service uses the same
 * folder, ERR_QUEUE_UNAVAILABLE, and ERR_FILE_ACCESS if the port cannot be used.
 */
export async function serve(given: unknown, { signal, onListening, log }: ServeContext): Promise<void> {
  const options = checkOptions(serveSchema, given);
  const { host, port, bases, maxRequests, workFolder = join(tmpdir(), 'dualanodiff-service') } = options;
  const tokens = await Tokens.read(options.tokens, process.env.DUALANODIFF_TOKEN);
  requireTokens(tokens, host);
  if (options.workers > 0 && redisOf(options) === undefined) {
    throw new InvalidOptionError(
      `Expected redis with ${options.workers} workers, for the queue that they take jobs off: give --redis or DUALANODIFF_REDIS. Without workers, jobs run in the process of the service`,
    );
  }
  const store = await openStore(options.store);
  await using uploads = await WorkFolder.open(join(workFolder, 'uploads'));
  const stopping = new AbortController();
  const metrics = new Metrics();
  let onError = (_error: unknown) => {};
  await using open = await openQueue(options, store, workFolder, (error) => onError(error));
  const { queue } = open;
  metrics.observeQueue(queue);
  const limits = {
    archiveBytes: options.maxUpload * MEGABYTE,
    unpackedBytes: options.maxUnpacked * MEGABYTE,
    entries: options.maxFiles,
  };
  const app = await createServer(
    { queue, store, bases, workFolder: uploads.path, limits, metrics, stopping: stopping.signal },
    { tokens, maxRequests, version, ...(log && { log: { stream: log } }) },
  );
  onError = (error) => app.log.error({ err: error }, 'the queue failed');
  let workers: WorkerProcesses | undefined;
  try {
    onListening(await withFileErrors('listen on', `${host}:${port}`, () => app.listen({ host, port })));
    workers = startWorkers(options, workFolder, app.log);
    await stopped(signal);
    app.log.info('the service stops');
  } finally {
    stopping.abort();
    open.stop(); // The running job must not go on while the answers of clients are finished.
    const ended = workers?.stop();
    const timer = setTimeout(() => app.server.closeAllConnections(), STOP_MS);
    await app.close();
    clearTimeout(timer);
    await ended;
    store.close();
  }
}

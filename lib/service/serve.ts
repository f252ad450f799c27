/** Runs the service until it is told to stop. */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyBaseLogger } from 'fastify';
import { InvalidOptionError, withFileErrors } from '../core/errors.js';
import { packageRoot } from '../core/paths.js';
import { checkOptions } from '../options/check.js';
import { type ServeOptions, serveSchema } from '../options/service.js';
import { openStore } from '../store/open.js';
import { WorkFolder } from '../worker/work-folder.js';
import { Metrics } from './metrics.js';
import { openQueue, redisOf } from './open-queue.js';
import { createServer } from './server.js';
import { requireTokens, Tokens } from './tokens.js';
import { WorkerProcesses } from './worker-processes.js';

const MEGABYTE = 1_000_000;
/** Requests that are still being answered have this time when the service stops. */
const STOP_MS = 10_000;
const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };

export interface ServeContext {
  /** Stops the service. A job in this process reaches a checkpoint, and goes on when the service starts again. */
  signal: AbortSignal;
  /** Receives the address at which the service listens. */
  onListening(address: string): void;
  /** Receives the lines of the log. */
  log?: { write(line: string): void };
}

/** Starts the workers of this machine. Without Redis there are none, because jobs run in this process. */
function startWorkers(options: ServeOptions, workFolder: string, log: FastifyBaseLogger): WorkerProcesses | undefined {
  const { workers: count, store, bases } = options;
  const redis = redisOf(options);
  if (redis === undefined) return undefined;
  const flags = ['--store', store, '--work-folder', join(workFolder, 'jobs')];
  if (bases !== undefined) flags.push('--bases', bases);
  const onNote = (worker: number, message: string) => log.info({ worker }, message);
  return new WorkerProcesses({ count, redis, flags, onNote });
}

const stopped = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/**
 * Serves jobs over HTTP until the signal fires. Throws ERR_INVALID_OPTION, ERR_BUSY if another service uses the same
 * folder, ERR_QUEUE_UNAVAILABLE, ERR_LIBTORCH_MISSING if jobs would run in this process, and ERR_FILE_ACCESS if the port cannot be used.
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
    {
      ...{ queue, store, bases, limits, metrics },
      ...{ workFolder: uploads.path, stopping: stopping.signal },
    },
    { tokens, maxRequests, version, ...(log && { log: { stream: log } }) },
  );
  for (const warning of open.warnings) app.log.warn(warning);
  onError = (error) => app.log.error({ err: error }, 'the queue failed');
  queue.onEnd(({ id, kind, state, error }) => {
    if (state === 'failed') app.log.warn({ job: id, kind, code: error?.code }, `job failed: ${error?.message}`);
  });
  let workers: WorkerProcesses | undefined;
  try {
    onListening(await withFileErrors('listen on', `${host}:${port}`, () => app.listen({ host, port })));
    open.start();
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

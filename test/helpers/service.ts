/** A service on a folder of its own, whose jobs are functions of the test. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import sharp from 'sharp';
import type { RunJob } from '../../lib/queue/job-queue.js';
import { LocalQueue } from '../../lib/queue/local-queue.js';
import type { WorkerDescription } from '../../lib/queue/workers.js';
import type { ArchiveLimits } from '../../lib/service/archive/archive-target.js';
import { Metrics } from '../../lib/service/metrics.js';
import { createServer } from '../../lib/service/server.js';
import { Tokens } from '../../lib/service/tokens.js';
import { FolderStore } from '../../lib/store/folder-store.js';

export interface TestService extends AsyncDisposable {
  app: FastifyInstance;
  store: FolderStore;
  queue: LocalQueue;
  /** The lines of the log. */
  log: string[];
  /** Stops the streams of events. */
  stop(): void;
}

export interface TestServiceOptions {
  run?: RunJob;
  workers?: () => Promise<WorkerDescription[]>;
  token?: string;
  bases?: string;
  maxQueued?: number;
  maxRequests?: number;
  limits?: Partial<ArchiveLimits>;
}

export async function openService(folder: string, options: TestServiceOptions = {}): Promise<TestService> {
  const { run = async () => ({}), workers, token, bases, maxQueued = 100, maxRequests = 10_000, limits } = options;
  const store = new FolderStore(join(folder, 'store'));
  const workFolder = join(folder, 'work');
  mkdirSync(workFolder, { recursive: true });
  const log: string[] = [];
  const onError = (error: unknown) => log.push(String(error));
  const describe = async () => ({ host: 'here', device: 'cpu', memoryBytes: 1, bases: [] });
  const queue = await LocalQueue.open({ folder: join(store.place, 'queue'), run, maxQueued, describe, onError });
  if (workers) queue.workers = workers;
  const stopping = new AbortController();
  const metrics = new Metrics();
  metrics.observeQueue(queue);
  queue.start();
  const app = await createServer(
    {
      ...{ queue, store, bases, workFolder, metrics, stopping: stopping.signal },
      limits: { archiveBytes: 1e7, unpackedBytes: 1e7, entries: 1000, ...limits },
    },
    {
      ...{ maxRequests, version: '0.0.0', tokens: await Tokens.read(undefined, token) },
      log: { stream: { write: (line) => log.push(line) } },
    },
  );
  return {
    ...{ app, store, queue, log, stop: () => stopping.abort() },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await app.close();
      await queue[Symbol.asyncDispose]();
    },
  };
}

/** Returns a small image. */
export const photograph = (): Promise<Buffer> =>
  sharp({ create: { width: 8, height: 8, channels: 3, background: 'grey' } })
    .png()
    .toBuffer();

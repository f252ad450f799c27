/** A worker on another machine, which a slow network connects with Redis, and which is cut off for a while. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { embedded } from '../../lib/index.js';
import { learn } from '../../lib/jobs/index.js';
import { BullQueue } from '../../lib/queue/bull-queue.js';
import { publishDataset } from '../../lib/store/datasets.js';
import { openStore } from '../../lib/store/open.js';
import { RedisServer } from '../helpers/redis.js';
import { scratchFolder } from '../helpers/scratch.js';
import { SlowNetwork } from '../helpers/slow-network.js';
import { ended, PATIENCE_MS, startWorker, untilEvent, type WorkerProcess } from '../helpers/workers.js';

const folder = scratchFolder();
const place = join(folder, 'store');
const NAME = 'brushed_metal'; // The folder of the embedded example has this name, which prompts may contain.
const LEARN = {
  ...{ type: 'stain', resolution: 32, rank: 2, batchSize: 1, gradientAccumulation: 2 },
  ...{ steps: 12, checkpointEvery: 3, seed: 5 },
};

let redis: RedisServer;
let queue: BullQueue;
let network: SlowNetwork;
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  redis = await RedisServer.start(folder);
  network = await SlowNetwork.start(redis.port, { delayMs: 100, lossOneOf: 100 });
  queue = await BullQueue.open(redis.url, { maxQueued: 10 });
});
afterAll(async () => {
  for (const worker of workers) await worker.stop('SIGKILL');
  await network.stop();
  await queue[Symbol.asyncDispose]();
  await redis.stop();
});

function start(port: number): WorkerProcess {
  const url = `redis://127.0.0.1:${port}`;
  const worker = startWorker(url, place, '--work-folder', join(folder, `work-${workers.length}`));
  workers.push(worker);
  return worker;
}

describe('a worker behind a slow network', { timeout: PATIENCE_MS }, () => {
  it('loses its job while it is cut off, which goes on elsewhere, and takes the next one afterwards', async () => {
    const { digest } = await publishDataset(await openStore(place), NAME, embedded.example);
    const submit = (seed: number) =>
      queue.submit({
        ...{ kind: 'learn', options: { ...LEARN, data: NAME, seed }, datasets: { [NAME]: digest }, priority: 50 },
      });
    const { id } = await submit(5);
    const far = start(network.port);
    await untilEvent(queue, id, (event) => 'path' in event && event.path.includes('checkpoint-000003'));
    network.cut(); // For much longer than its lock.
    const near = start(redis.port);
    expect(await ended(queue, id)).toMatchObject({ state: 'completed', attempts: 2, result: { steps: LEARN.steps } });
    await near.stop('SIGTERM');
    network.mend();
    await vi.waitUntil(() => far.output().includes('another worker has taken it over'), { timeout: PATIENCE_MS });
    expect(await ended(queue, (await submit(6)).id)).toMatchObject({ state: 'completed', attempts: 1 });

    const ends: string[] = [];
    for await (const { event } of queue.events(id, { signal: AbortSignal.timeout(PATIENCE_MS) }))
      if (event.event === 'end') ends.push(event.state);
    expect(ends).toEqual(['completed']);
    const alone = join(folder, 'alone', 'adapter.safetensors');
    await learn({ ...LEARN, data: embedded.example, out: alone, device: 'cpu' });
    const files = join(place, 'jobs', id, 'files');
    expect(readdirSync(files).sort()).toEqual(['adapter.safetensors', 'adapter.safetensors.jsonl']);
    expect(readFileSync(join(files, 'adapter.safetensors')).equals(readFileSync(alone))).toBe(true);
  });
});

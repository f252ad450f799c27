import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { embedded } from '../../lib/index.js';
import { generate, learn } from '../../lib/jobs/index.js';
import { BullQueue } from '../../lib/queue/bull-queue.js';
import type { Job } from '../../lib/queue/job-queue.js';
import { publishDataset } from '../../lib/store/datasets.js';
import { openStore } from '../../lib/store/open.js';
import { RedisServer } from '../helpers/redis.js';
import { scratchFolder } from '../helpers/scratch.js';
import { ended, PATIENCE_MS, startWorker, untilEvent, type WorkerProcess } from '../helpers/workers.js';

const folder = scratchFolder();
const place = join(folder, 'store');
const NAME = 'brushed_metal'; // The folder of the embedded example has this name, which prompts may contain.
/** Steps of two batches each leave the test time to act between checkpoints. */
const LEARN = {
  ...{ type: 'stain', resolution: 32, rank: 2, batchSize: 1, gradientAccumulation: 2 },
  ...{ steps: 24, checkpointEvery: 3, seed: 5 },
};
const GENERATE = { count: 6, steps: 2, batchSize: 2, mask: ['threshold' as const], seed: 3 };

let redis: RedisServer;
let queue: BullQueue;
let digest: string;
const workers: WorkerProcess[] = [];

/** The files of an undisturbed process. */
const alone = join(folder, 'alone');
const aloneAdapter = join(alone, 'adapter.safetensors');
const alonePairs = join(alone, 'pairs');

beforeAll(async () => {
  redis = await RedisServer.start(folder);
  queue = await BullQueue.open(redis.url, { maxQueued: 10 });
  ({ digest } = await publishDataset(await openStore(place), NAME, embedded.example));
  await learn({ ...LEARN, data: embedded.example, out: aloneAdapter, device: 'cpu' });
  await generate({ ...GENERATE, adapter: aloneAdapter, out: alonePairs, device: 'cpu' });
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop('SIGKILL');
});
afterAll(async () => {
  await queue[Symbol.asyncDispose]();
  await redis.stop();
});

function start(...more: string[]): WorkerProcess {
  const worker = startWorker(redis.url, place, '--work-folder', join(folder, 'work'), ...more);
  workers.push(worker);
  return worker;
}
const submitLearn = (more: object = {}) =>
  queue.submit({
    kind: 'learn',
    options: { ...LEARN, data: NAME, ...more },
    datasets: { [NAME]: digest },
    priority: 50,
  });
const fileOf = ({ id }: Job, path: string) => join(place, 'jobs', id, 'files', path);
const filesBelow = (path: string) =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();
const isStep = (step: number) => (event: object) => 'done' in event && (event.done as number) >= step;
const isFile = (pattern: RegExp) => (event: object) => 'path' in event && pattern.test(event.path as string);

describe('a worker', { timeout: PATIENCE_MS }, () => {
  it('learns and generates what one undisturbed process does, although it is killed and told to stop', async () => {
    const learning = await submitLearn();
    const killed = start();
    await untilEvent(queue, learning.id, isFile(/checkpoint-000003/));
    await killed.stop('SIGKILL');
    const stopped = start();
    await untilEvent(queue, learning.id, isFile(/checkpoint-000009/));
    expect(await stopped.stop('SIGTERM')).toBe(0);
    expect(stopped.output()).toContain('handed back');
    expect(await queue.get(learning.id)).toMatchObject({ state: 'queued', attempts: 2 });
    start();
    const learned = await ended(queue, learning.id);
    expect(learned).toMatchObject({ state: 'completed', attempts: 3, result: { adapter: 'adapter.safetensors' } });
    expect(readFileSync(fileOf(learned, 'adapter.safetensors')).equals(readFileSync(aloneAdapter))).toBe(true);
    expect(filesBelow(join(place, 'jobs', learned.id))).toEqual([
      'files/adapter.safetensors',
      'files/adapter.safetensors.jsonl',
      'result.json',
    ]);
    const generating = await queue.submit({
      ...{ kind: 'generate', options: { ...GENERATE, adapter: learned.id }, datasets: {}, priority: 50 },
    });
    await untilEvent(queue, generating.id, (event) => event.event === 'pair' && event.index === 2);
    await workers.at(-1)?.stop('SIGKILL');
    start();
    const generated = await ended(queue, generating.id);
    expect(generated).toMatchObject({ state: 'completed', result: { pairs: 6 } });
    const made = join(place, 'jobs', generated.id, 'files');
    expect(filesBelow(made)).toEqual(filesBelow(alonePairs));
    for (const file of filesBelow(alonePairs))
      expect(readFileSync(join(made, file)).equals(readFileSync(join(alonePairs, file))), file).toBe(true);
  });

  it('cancels a job within a step, and goes on with the next', async () => {
    const [long, next] = [await submitLearn({ steps: 100_000 }), await submitLearn({ steps: 2, seed: 6 })];
    start();
    await untilEvent(queue, long.id, isStep(2));
    await queue.cancel(long.id);
    expect(await ended(queue, long.id)).toMatchObject({ state: 'cancelled' });
    expect(await ended(queue, next.id)).toMatchObject({ state: 'completed' });
  });

  it('tells why a job failed, without paths of its machine', async () => {
    start();
    const failed = await ended(queue, (await submitLearn({ type: 'no-such-type' })).id);
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'ERR_DATASET_INVALID' } });
    expect(JSON.stringify(failed)).not.toContain(folder);
    expect(existsSync(join(place, 'jobs', failed.id, 'result.json'))).toBe(false);
  });
});

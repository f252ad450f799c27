import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embedded } from '../../lib/index.js';
import { campaign } from '../../lib/jobs/index.js';
import { BullQueue } from '../../lib/queue/bull-queue.js';
import type { Job } from '../../lib/queue/job-queue.js';
import { publishDataset } from '../../lib/store/datasets.js';
import { openStore } from '../../lib/store/open.js';
import { contentsOf } from '../helpers/files.js';
import { RedisServer } from '../helpers/redis.js';
import { scratchFolder } from '../helpers/scratch.js';
import { ended, PATIENCE_MS, startWorker, type WorkerProcess } from '../helpers/workers.js';

const folder = scratchFolder();
const place = join(folder, 'store');
const data = join(folder, 'metal');
const OPTIONS = {
  ...{ resolution: 32, rank: 2, trainBatchSize: 1, trainSteps: 3, seed: 5 },
  ...{ count: 5, steps: 2, batchSize: 2, mask: ['threshold' as const] },
};

let redis: RedisServer;
let queue: BullQueue;
let worker: WorkerProcess;
let digest: string;

beforeAll(async () => {
  // The images of the second type have no masks that can be used, so that its training fails.
  cpSync(embedded.example, data, { recursive: true });
  cpSync(join(data, 'test', 'stain'), join(data, 'test', 'unmasked'), { recursive: true });
  for (const part of ['test', 'ground_truth']) rmSync(join(data, part, 'scratch'), { recursive: true });
  redis = await RedisServer.start(folder);
  queue = await BullQueue.open(redis.url, { maxQueued: 10 });
  ({ digest } = await publishDataset(await openStore(place), 'metal', data));
  worker = startWorker(redis.url, place, '--work-folder', join(folder, 'work'), '--pairs-per-part', '2');
  await campaign({ ...OPTIONS, data, type: 'stain', out: join(folder, 'alone'), device: 'cpu' });
});
afterAll(async () => {
  await worker.stop('SIGKILL');
  await queue[Symbol.asyncDispose]();
  await redis.stop();
});

const submit = async (more: object): Promise<Job> => {
  const options = { ...OPTIONS, data: 'metal', ...more };
  const { id } = await queue.submit({ kind: 'campaign', options, datasets: { metal: digest }, priority: 50 });
  return ended(queue, id);
};
const allJobs = async () => (await queue.list({ limit: 100 })).jobs;
const filesOf = (job: Job) => join(place, 'jobs', job.id, 'files');

describe('a campaign on a queue', { timeout: PATIENCE_MS }, () => {
  it('is divided into jobs whose results are those of one process, and a failed type does not stop the others', async () => {
    const whole = await submit({});
    expect(whole).toMatchObject({ state: 'completed' });
    expect(whole.result).toMatchObject({
      types: [{ type: 'stain', pairs: 5, dataset: 'stain/dataset' }],
      failures: [{ type: 'unmasked', code: 'ERR_DATASET_INVALID' }],
    });
    const jobs = await allJobs();
    expect(jobs.map(({ kind }) => kind).sort()).toEqual([
      ...['campaign', 'campaign', 'campaign', 'generate', 'generate', 'generate', 'learn', 'learn'],
    ]);
    const stain = jobs.find(({ kind, options }) => kind === 'campaign' && options.type === 'stain') as Job;
    const made = join(filesOf(stain), 'stain');
    const alone = join(folder, 'alone', 'stain');
    expect(readdirSync(made).sort()).toEqual(readdirSync(alone).sort());
    expect(
      readFileSync(join(made, 'adapter.safetensors')).equals(readFileSync(join(alone, 'adapter.safetensors'))),
    ).toBe(true);
    expect(contentsOf(join(made, 'dataset'))).toEqual(contentsOf(join(alone, 'dataset')));
  });

  it('does only what is missing when it is submitted again', async () => {
    const before = await allJobs();
    await submit({ type: 'stain', count: 7 });
    const after = await allJobs();
    const added = after.filter(({ id }) => !before.some((one) => one.id === id));
    expect(added.map(({ options: { range } }) => range)).toEqual([[6, 7], [4, 6], undefined]);
    await submit({ type: 'stain' });
    const again = await allJobs();
    expect(again.length).toBe(after.length + 1);
    expect(again.filter(({ kind }) => kind === 'learn').map(({ attempts }) => attempts)).toEqual([1, 1]);
  });
});

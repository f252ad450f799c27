/** One command serves jobs and starts the workers that run them. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { embedded } from '../../lib/index.js';
import { BullQueue } from '../../lib/queue/bull-queue.js';
import { RedisServer } from '../helpers/redis.js';
import { scratchFolder } from '../helpers/scratch.js';
import { ServerProcess } from '../helpers/serving.js';
import { ended, PATIENCE_MS, untilEvent } from '../helpers/workers.js';

const folder = scratchFolder();
const NAME = 'brushed_metal'; // The folder of the embedded example has this name, which prompts may contain.
const LEARN = {
  ...{ data: NAME, type: 'stain', resolution: 32, window: 'off' as const, rank: 2, batchSize: 1, seed: 5 },
  ...{ trainTextEncoder: false, steps: 40, checkpointEvery: 5, device: 'cpu' },
};

let redis: RedisServer;
let queue: BullQueue;
let server: ServerProcess;

beforeAll(async () => {
  redis = await RedisServer.start(folder);
  queue = await BullQueue.open(redis.url, { maxQueued: 10 });
});
afterEach(async () => {
  await server.stop('SIGKILL');
});
afterAll(async () => {
  await queue[Symbol.asyncDispose]();
  await redis.stop();
});

async function serve(workers: number): Promise<void> {
  const args = ['--redis', redis.url, '--workers', String(workers), '--work-folder', join(folder, 'work')];
  server = await ServerProcess.start(['--store', join(folder, 'store'), ...args], 'a-token-that-is-long-enough');
}
const isWorking = (event: object) => 'done' in event && (event.done as number) >= 2;
const isHandedBack = (seen: number) => {
  let count = 0;
  return (event: object) => 'state' in event && event.state === 'queued' && ++count > seen;
};
const noWorkerIsLeft = () => expect.poll(async () => (await queue.workers()).length, { timeout: PATIENCE_MS }).toBe(0);

describe('serve with workers', { timeout: PATIENCE_MS }, () => {
  it('runs jobs on them, which reach a checkpoint when the service is told to stop, and when it is killed', async () => {
    await serve(1);
    const archive = execFileSync('tar', ['-C', embedded.example, '-cz', '.'], { maxBuffer: 1e8 });
    expect((await server.fetch(`/v1/datasets/${NAME}`, { method: 'PUT', body: archive })).status).toBe(200);
    const { id } = await server.submit('learn', LEARN);
    await untilEvent(queue, id, isWorking);
    expect(await server.stop()).toBe(0);
    expect(await queue.get(id)).toMatchObject({ state: 'queued', attempts: 1 });
    expect(await queue.workers()).toEqual([]);

    await serve(1);
    await expect.poll(async () => (await queue.get(id)).state, { timeout: PATIENCE_MS }).toBe('running');
    await server.stop('SIGKILL');
    await untilEvent(queue, id, isHandedBack(2)); // It was queued first, and then handed back once already.
    await noWorkerIsLeft();

    await serve(2);
    expect(await ended(queue, id)).toMatchObject({ state: 'completed', attempts: 3, result: { steps: LEARN.steps } });
    await expect.poll(async () => (await queue.workers()).length).toBe(2);
    expect(await server.stop()).toBe(0);
    expect(server.output).toMatch(/"worker":2,"msg":"worker \S+ on .+ takes jobs of the embedded base"/);
  });
});

/** The commands `serve` and `worker`, from an uploaded dataset to a pair, as a client sees them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, it } from 'vitest';
import { embedded } from '../../lib/index.js';
import { learn } from '../../lib/jobs/index.js';
import type { Job } from '../../lib/queue/job-queue.js';
import { RedisServer } from '../helpers/redis.js';
import { scratchFolder } from '../helpers/scratch.js';
import { ServerProcess } from '../helpers/serving.js';
import { PATIENCE_MS, startWorker } from '../helpers/workers.js';

const folder = scratchFolder();
const TOKEN = 'a-token-that-is-long-enough';
const NAME = 'brushed_metal'; // The folder of the embedded example has this name, which prompts may contain.
/** They leave the test time to stop the service between the first step and the last one. */
const STEPS = 60;
const LEARN = {
  ...{ type: 'stain', resolution: 32, window: 'off' as const, rank: 2, batchSize: 1, trainTextEncoder: false },
  ...{ steps: STEPS, checkpointEvery: 10, seed: 5, device: 'cpu' },
};
const GENERATE = { count: 2, steps: 2, mask: ['threshold'], device: 'cpu' };

const started: { stop(signal?: NodeJS.Signals): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of started.splice(0).reverse()) await one.stop('SIGKILL');
});

async function serve(store: string, ...more: string[]): Promise<ServerProcess> {
  const server = await ServerProcess.start(['--store', store, '--work-folder', join(folder, 'work'), ...more], TOKEN);
  started.push(server);
  return server;
}

/** The embedded example as a compressed tar archive. */
const archive = () => execFileSync('tar', ['-C', embedded.example, '-cz', '.'], { maxBuffer: 1e8 });

/** Uploads the example, learns its type, and makes pairs. Returns both jobs when they have ended. */
async function learnAndGenerate(server: ServerProcess): Promise<{ learned: Job; generated: Job }> {
  const uploaded = await server.fetch(`/v1/datasets/${NAME}`, { method: 'PUT', body: archive() });
  expect(uploaded.status).toBe(200);
  const learned = await server.submit('learn', { ...LEARN, data: NAME });
  const events = await server.follow(learned);
  expect(events.map(({ data }) => data)).toContainEqual({ event: 'file', path: 'adapter.safetensors' });
  expect(events.at(-1)?.data).toMatchObject({ event: 'end', state: 'completed', result: { steps: STEPS } });
  const generated = await server.submit('generate', { ...GENERATE, adapter: learned.id });
  const pairs = (await server.follow(generated)).filter(({ data }) => data.event === 'pair');
  expect(pairs).toHaveLength(2);
  for (const path of [pairs[0]?.data.image, pairs[0]?.data.mask]) {
    const image = await (await server.fetch(`/v1/jobs/${generated.id}/files/${path}`)).arrayBuffer();
    expect(await sharp(Buffer.from(image)).metadata()).toMatchObject({ format: 'png', width: 32, height: 32 });
  }
  return { learned, generated };
}

/** The adapter that the job in this process learns. */
async function adapterOfOneProcess(): Promise<Buffer> {
  const out = join(folder, 'alone', 'adapter.safetensors');
  await learn({ ...LEARN, data: embedded.example, out, resume: true });
  return readFileSync(out);
}

const adapterOf = async (server: ServerProcess, { id }: Job) =>
  Buffer.from(await (await server.fetch(`/v1/jobs/${id}/files/adapter.safetensors`)).arrayBuffer());

describe('serve', { timeout: PATIENCE_MS }, () => {
  it('runs jobs in its own process, and continues after it was told to stop', async () => {
    const store = join(folder, 'alone-store');
    const first = await serve(store);
    const { learned } = await learnAndGenerate(first);
    const metrics = await (await first.fetch('/metrics')).text();
    expect(metrics).toContain('dualanodiff_job_seconds_count{kind="generate"} 1');
    const workers = await (await first.fetch('/v1/workers')).json();
    expect(workers).toMatchObject({ workers: [{ device: 'cpu', bases: [], jobs: [] }] });
    const alone = await adapterOfOneProcess();
    expect((await adapterOf(first, learned)).equals(alone)).toBe(true);

    const again = await first.submit('learn', { ...LEARN, data: NAME });
    let last = '';
    for await (const { id, data } of first.events(again)) {
      last = id;
      if (data.event === 'progress') break;
    }
    expect(await first.stop()).toBe(0);
    expect(first.output).not.toContain(TOKEN);
    const second = await serve(store);
    const rest = [];
    for await (const { data } of second.events(again, last)) rest.push(data);
    expect(rest.at(-1)).toMatchObject({ event: 'end', state: 'completed' });
    expect(await (await second.fetch(`/v1/jobs/${again.id}`)).json()).toMatchObject({
      state: 'completed',
      attempts: 2,
    });
    expect((await adapterOf(second, again)).equals(alone)).toBe(true);
  });

  it('hands jobs to a worker over Redis', async () => {
    mkdirSync(join(folder, 'redis'));
    const redis = await RedisServer.start(join(folder, 'redis'));
    started.push(redis);
    const store = join(folder, 'shared-store');
    started.push(startWorker(redis.url, store, '--work-folder', join(folder, 'worker')));
    const server = await serve(store, '--redis', redis.url);
    const { learned } = await learnAndGenerate(server);
    expect((await adapterOf(server, learned)).equals(await adapterOfOneProcess())).toBe(true);
    expect(await (await server.fetch('/v1/adapters')).json()).toMatchObject({
      adapters: [{ name: learned.id, type: 'stain' }],
    });
    const metrics = await (await server.fetch('/metrics')).text();
    expect(metrics).toContain('dualanodiff_job_seconds_count{kind="learn"} 1');
    await redis.stop();
    const lost = await server.fetch('/readyz');
    expect([lost.status, await lost.json()]).toMatchObject([503, { error: { code: 'ERR_NOT_READY' } }]);
    expect((await server.fetch('/healthz')).status).toBe(200);
  });
});

/** Campaigns as flows of jobs whose work is none. */
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { describe, expect, it } from 'vitest';
import { DatasetError } from '../../lib/core/errors.js';
import type { Job, RunJob } from '../../lib/queue/job-queue.js';
import { PREFIX } from '../../lib/queue/redis.js';
import { FolderStore } from '../../lib/store/folder-store.js';
import { publishResult } from '../../lib/store/results.js';
import type { CampaignFacts } from '../../lib/worker/campaign-facts.js';
import { nextStep } from '../../lib/worker/campaign-flow.js';
import { TestQueue, untilAborted } from '../helpers/queue.js';
import { scratchFolder } from '../helpers/scratch.js';
import { ended, untilEvent } from '../helpers/workers.js';

const test = TestQueue.use();
const store = new FolderStore(join(scratchFolder(), 'store'));
const digest = (letter: string) => letter.repeat(64);
const isRunning = (event: object) => 'state' in event && event.state === 'running';

const complete: RunJob = async (job) => {
  const types = job.kind === 'campaign' ? [{ type: job.options.type }] : [];
  await publishResult(store, job.id, { kind: job.kind, result: { types }, files: [] });
  return { types };
};

/** Starts a worker that runs campaigns, and counts how often it looked into their data. */
async function workOn(run: RunJob, facts: CampaignFacts, look = async (_job: Job) => {}): Promise<{ looked: number }> {
  const counted = { looked: 0 };
  const factsOf = async (job: Job) => {
    counted.looked++;
    await look(job);
    return facts;
  };
  await test.work(run, {
    concurrency: 3,
    step: (queue, bullJob, token, job) => nextStep(bullJob, token, job, { queue, store, pairsPerPart: 2, factsOf }),
  });
  return counted;
}
const submit = (options: object): Promise<Job> =>
  test.submit(
    { data: 'metal', count: 4, batchSize: 2, ...options },
    { kind: 'campaign', datasets: { metal: digest('a') } },
  );
const partsOf = async (id: string) =>
  (await test.queue.list({ limit: 100 })).jobs.filter(({ parent }) => parent === id);

describe('a campaign on a queue', () => {
  it('goes on with a part that it shares with a cancelled campaign, and owns it then', async () => {
    const queue = await test.open();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const run: RunJob = async (job, context) => {
      if (job.kind === 'learn') await Promise.race([released, untilAborted(job, context)]);
      return complete(job, context);
    };
    await workOn(run, { fingerprint: 'f', failures: [] });
    const first = await submit({ type: 'dent', count: 4 });
    await untilEvent(queue, first.id, isRunning);
    while ((await partsOf(first.id)).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    const [learn] = (await partsOf(first.id)) as [Job];
    await untilEvent(queue, learn.id, isRunning);
    const second = await submit({ type: 'dent', count: 6 });
    await untilEvent(queue, second.id, isRunning);
    while ((await test.client.scard(`dualanodiff:wholes:${learn.id}`)) < 2)
      await new Promise((resolve) => setTimeout(resolve, 50));
    await queue.cancel(first.id);
    expect(await ended(queue, first.id)).toMatchObject({ state: 'cancelled' });
    expect(await queue.get(learn.id)).toMatchObject({ state: 'running', parent: second.id });
    release();
    expect(await ended(queue, second.id)).toMatchObject({ state: 'completed' });
    expect(await queue.get(learn.id)).toMatchObject({ state: 'completed', attempts: 1 });
    // Nobody else waits for the parts of the last campaign.
    const third = await submit({ type: 'scratch' });
    await untilEvent(queue, third.id, isRunning);
    expect(await ended(queue, third.id)).toMatchObject({ state: 'completed' });
  }, 60_000);

  it('makes a waiting part as urgent as the most urgent campaign that needs it', async () => {
    const queue = await test.open();
    const [slow, urgent, late] = [
      await submit({ type: 'a' }),
      await submit({ type: 'b' }),
      await submit({ type: 'c' }),
    ];
    const bull = new Queue('jobs', { connection: { port: test.server.port }, prefix: PREFIX });
    const part = digest('b').slice(0, 32);
    const request = { kind: 'check' as const, options: { data: 'metal' }, datasets: {} };
    for (const [{ id }, priority] of [
      [slow, 5],
      [urgent, 90],
      [late, 20],
    ] as const) {
      const whole = (await bull.getJob(id)) as never;
      await queue.addPart(whole, part, { ...request, priority, parent: id }, async () => false);
    }
    await bull.close();
    expect(await queue.get(part)).toMatchObject({ state: 'queued', priority: 90, parent: slow.id });
    const order: string[] = [];
    await test.work(async ({ id }) => ({ order: order.push(id) }));
    await ended(queue, part);
    expect(order[0]).toBe(part);
  });

  it('makes each type of each category a part of its own, and looks into its data once', async () => {
    const queue = await test.open();
    const looked = await workOn(complete, {
      fingerprint: 'f00',
      categories: [
        { category: 'bolt', data: 'bolt', digest: digest('b'), types: ['bent', 'worn'] },
        { category: 'nut', data: 'nut', digest: digest('c'), types: ['worn'] },
      ],
      failures: [{ category: 'cup', code: 'ERR_DATASET_INVALID', message: 'no images' }],
    });
    const whole = await submit({});
    const { state, result } = await ended(queue, whole.id);
    expect({ state, looked }).toEqual({ state: 'completed', looked: { looked: 1 } });
    const parts = await partsOf(whole.id);
    expect(result).toMatchObject({
      types: [{ type: 'bent' }, { type: 'worn' }, { type: 'worn' }],
      failures: [{ category: 'cup', code: 'ERR_DATASET_INVALID' }],
    });
    const described = parts.map(({ options, datasets }) => ({ data: options.data, type: options.type, datasets }));
    expect(described).toEqual(
      expect.arrayContaining([
        { data: 'bolt', type: 'bent', datasets: { bolt: digest('b') } },
        { data: 'bolt', type: 'worn', datasets: { bolt: digest('b') } },
        { data: 'nut', type: 'worn', datasets: { nut: digest('c') } },
      ]),
    );
    expect(parts).toHaveLength(3);
    const [learn] = (await partsOf((parts[0] as Job).id)).filter(({ kind }) => kind === 'learn') as [Job];
    const data = JSON.parse((await test.client.hget(`dualanodiff:jobs:${learn.id}`, 'data')) as string);
    expect(data.fingerprint).toBe('f00');
  }, 60_000);

  const bent = { category: 'bolt', data: 'bolt', digest: digest('b'), types: ['bent'] };

  it('tries the failed jobs of its types again when it is retried', async () => {
    const queue = await test.open();
    let learns = 0;
    const run: RunJob = async (job, context) => {
      if (job.kind === 'learn' && ++learns === 1) throw new DatasetError('the images are damaged');
      return complete(job, context);
    };
    await workOn(run, { fingerprint: 'cc', categories: [bent], failures: [] });
    const { id } = await submit({});
    expect(await ended(queue, id)).toMatchObject({ state: 'failed', error: { code: 'ERR_DATASET_INVALID' } });
    await queue.retry(id);
    expect(await ended(queue, id)).toMatchObject({ state: 'completed', result: { types: [{ type: 'bent' }] } });
    expect(learns).toBe(2);
  }, 60_000);

  it('runs no part after a cancellation that came while it looked for its parts', async () => {
    const queue = await test.open();
    const ran: string[] = [];
    const run: RunJob = async (job, context) => {
      ran.push(job.kind);
      return complete(job, context);
    };
    await queue.pause();
    const { id } = await submit({});
    const cancel = async (job: Job) => {
      await queue.cancel(job.id);
    };
    await workOn(run, { fingerprint: 'dd', categories: [bent], failures: [] }, cancel);
    await queue.resume();
    expect(await ended(queue, id)).toMatchObject({ state: 'cancelled' });
    for (const part of await partsOf(id)) expect(await ended(queue, part.id)).toMatchObject({ state: 'cancelled' });
    expect(ran).toEqual([]);
  }, 60_000);

  it('uses no part of a campaign with another base of the same name', async () => {
    const queue = await test.open();
    await workOn(complete, { fingerprint: 'aa', failures: [] });
    await ended(queue, (await submit({ type: 'dent' })).id);
    await test.stop(test.workers[0] as (typeof test.workers)[number]);
    const before = (await queue.list({ limit: 100 })).jobs.length;
    await workOn(complete, { fingerprint: 'bb', failures: [] });
    await ended(queue, (await submit({ type: 'dent' })).id);
    const kinds = (await queue.list({ limit: 100 })).jobs.slice(0, -before).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['campaign', 'generate', 'generate', 'learn']);
  }, 60_000);
});

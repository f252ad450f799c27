/** Which jobs a worker takes, and which it leaves. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { capabilities, TestQueue } from '../helpers/queue.js';
import { ended } from '../helpers/workers.js';

const test = TestQueue.use();
const GB = 1e9;

/** Jobs need as many gigabytes as their resolution says. */
const memoryOf = ({ options }: { options: Record<string, unknown> }) => Number(options.resolution ?? 0) * GB;

describe('a worker', () => {
  it('leaves a job that needs more memory than is free to others, and takes it when there is room', async () => {
    const queue = await test.open({ memoryOf });
    const [large, small] = [await test.submit({ resolution: 6 }, { priority: 99 }), await test.submit()];
    let free = 4 * GB;
    const tight = await test.work(async () => ({ from: 'small' }), { freeBytes: () => free });
    expect(await ended(queue, small.id)).toMatchObject({ state: 'completed' });
    expect(await queue.get(large.id)).toMatchObject({ state: 'queued', attempts: 0 });
    const roomy = await test.work(async () => ({ from: 'roomy' }));
    expect(await ended(queue, large.id)).toMatchObject({ result: { from: 'roomy' } });
    await test.stop(roomy);
    const later = await test.submit({ resolution: 6 });
    await wait(1000);
    expect(await queue.get(later.id)).toMatchObject({ state: 'queued' });
    free = 7 * GB;
    expect(await ended(queue, later.id)).toMatchObject({ result: { from: 'small' } });
    await test.stop(tight);
  });

  it('runs no two jobs at once that need more memory together than it has', async () => {
    const queue = await test.open({ memoryOf });
    const jobs = [await test.submit({ resolution: 5 }), await test.submit({ resolution: 5 }), await test.submit()];
    let [running, most] = [0, 0];
    const run = async ({ options }: { options: Record<string, unknown> }) => {
      const gigabytes = Number(options.resolution ?? 0);
      running += gigabytes;
      most = Math.max(most, running);
      await wait(300);
      running -= gigabytes;
      return {};
    };
    await test.work(run, { concurrency: 3 });
    for (const { id } of jobs) expect(await ended(queue, id)).toMatchObject({ state: 'completed' });
    expect(most).toBe(5);
  });

  it('fails a job that no worker has the memory for, and says so', async () => {
    const queue = await test.open({ memoryOf });
    const [impossible, possible] = [await test.submit({ resolution: 30 }), await test.submit({ resolution: 12 })];
    await test.work(async () => ({}), { checkMs: 200 });
    const large = { ...capabilities, memoryBytes: 16 * GB };
    await test.work(async () => ({}), { capabilities: large, freeBytes: () => 1 });
    const failed = await ended(queue, impossible.id);
    expect(failed).toMatchObject({ state: 'failed', attempts: 1, error: { code: 'ERR_OUT_OF_MEMORY' } });
    expect(failed.error?.message).toContain('needs about 30.0 GB of memory, and the largest worker has 16.0 GB');
    expect(await queue.get(possible.id)).toMatchObject({ state: 'queued' }); // The larger worker may have room later.
  });

  it('changes between queues with jobs, so that those of one do not wait for ever', async () => {
    const queue = await test.open();
    const ids: string[] = [];
    for (let i = 0; i < 40; i++) ids.push((await test.submit({}, { priority: 99 })).id);
    const other = await test.submit({ base: 'sd' }, { priority: 1 });
    const order: string[] = [];
    const run = async ({ id }: { id: string }) => {
      order.push(id);
      await wait(20);
      return {};
    };
    await test.work(run, { stayMs: 100 });
    await ended(queue, other.id);
    expect(order.indexOf(other.id)).toBeLessThan(39);
    await ended(queue, ids.at(-1) as string);
    expect([...order].sort()).toEqual([...ids, other.id].sort());
  });
});

import { describe, expect, it } from 'vitest';
import { defaultThreads } from '../../lib/core/threads.js';
import { jobsFor, sharingCores } from '../../lib/evaluate/jobs.js';
import { getEngine } from '../../lib/native.js';

describe('the number of networks that train at a time', () => {
  it('follows the cores on a CPU, and is one on a GPU', async () => {
    const engine = await getEngine();
    const hasGpu = (await engine.deviceInfo(new engine.Task(0))).totalBytes > 0;
    const cores = Math.min(defaultThreads(), 8);
    expect(await jobsFor('cpu')).toBe(cores);
    expect(await jobsFor('cuda:0')).toBe(1);
    expect(await jobsFor('auto')).toBe(hasGpu ? 1 : cores);
  });

  it('shares the cores out among the torch threads, and gives them back', async () => {
    const engine = await getEngine();
    const threads = (torchThread: number) => engine.getThreads(new engine.Task(torchThread));
    const during = await sharingCores(2, () => Promise.all([threads(0), threads(1)]));
    expect(during).toEqual(Array(2).fill(Math.max(1, Math.floor(defaultThreads() / 2))));
    expect(await threads(0)).toBe(defaultThreads());
  });

  it('is kept by each torch thread, whatever is set for another before its first work', async () => {
    const engine = await getEngine();
    const own = new engine.Task(7);
    await engine.setThreads(3, own);
    await engine.setThreads(2, new engine.Task(8));
    expect(await engine.getThreads(own)).toBe(3);
  });
});

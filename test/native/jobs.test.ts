import { describe, expect, it } from 'vitest';
import { jobsFor } from '../../lib/evaluate/jobs.js';
import { getEngine } from '../../lib/native.js';
import { defaultThreads } from '../../lib/threads.js';

describe('the number of networks that train at a time', () => {
  it('follows the cores on a CPU, and is one on a GPU', async () => {
    const engine = await getEngine();
    const hasGpu = (await engine.deviceInfo(new engine.Task(0))).totalBytes > 0;
    const cores = Math.min(defaultThreads(), 8);
    expect(await jobsFor('cpu')).toBe(cores);
    expect(await jobsFor('cuda:0')).toBe(1);
    expect(await jobsFor('auto')).toBe(hasGpu ? 1 : cores);
  });
});

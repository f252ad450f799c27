import { beforeEach, describe, expect, it, vi } from 'vitest';
import { concurrencyFor, sharingCores } from '../../lib/evaluate/concurrency.js';
import { getEngine } from '../../lib/native.js';

/** libtorch may use this many threads. It is not this machine's number, because with one core all numbers would agree. */
const cores = vi.hoisted(() => ({ count: 6 }));
vi.mock('../../lib/core/threads.js', () => ({ defaultThreads: () => cores.count }));

const engine = await getEngine();
beforeEach(() => {
  cores.count = 6;
  vi.restoreAllMocks();
});
const withDevice = (name: string) =>
  vi.spyOn(engine, 'deviceInfo').mockResolvedValue({
    ...{ name, reason: '', capability: '', totalBytes: 0, freeBytes: 0 },
  });

describe('the number of networks that train at a time', () => {
  it('is that of the cores on a CPU, and at most eight', async () => {
    expect(await concurrencyFor('cpu')).toBe(6);
    cores.count = 12;
    expect(await concurrencyFor('cpu')).toBe(8);
  });

  it('is one on a GPU, which the device auto takes where there is one', async () => {
    expect(await concurrencyFor('cuda:0')).toBe(1);
    withDevice('a GPU');
    expect(await concurrencyFor('auto')).toBe(1);
    withDevice('');
    expect(await concurrencyFor('auto')).toBe(6);
  });

  it('decides how the cores are shared out among the torch threads, which get them back', async () => {
    const threads = (torchThread: number) => engine.getThreads(new engine.Task(torchThread));
    const during = await sharingCores(2, () => Promise.all([threads(0), threads(1)]));
    expect(during).toEqual([3, 3]);
    expect(await threads(0)).toBe(6);
    await expect(sharingCores(3, () => Promise.reject(new Error('on purpose')))).rejects.toThrow('on purpose');
    expect(await threads(0)).toBe(6);
  });
});

describe('the number of threads', () => {
  it('is kept by each torch thread, whatever is set for another before its first work', async () => {
    const own = new engine.Task(7);
    await engine.setThreads(3, own);
    await engine.setThreads(2, new engine.Task(8));
    expect(await engine.getThreads(own)).toBe(3);
  });
});

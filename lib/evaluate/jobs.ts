import { defaultThreads } from '../core/threads.js';
import { getEngine } from '../native.js';
import { runNative } from '../run-native.js';

/** Of small networks; more would wait for memory. */
const MOST_JOBS = 8;

/** How many small networks to train at a time: one thread each is enough for them; a GPU is kept busy by one. */
export async function jobsFor(device: string): Promise<number> {
  if (device.startsWith('cuda')) return 1;
  const engine = await getEngine();
  if (device === 'auto' && (await engine.deviceInfo(new engine.Task(0))).name !== '') return 1;
  return Math.min(defaultThreads(), MOST_JOBS);
}

/** Does work that uses so many torch threads, with the cores shared out among them. */
export async function sharingCores<R>(jobs: number, work: () => Promise<R>): Promise<R> {
  if (jobs === 1) return work();
  const setThreads = (torchThread: number, count: number) =>
    runNative({ torchThread }, (engine, task) => engine.setThreads(count, task));
  for (let torchThread = 0; torchThread < jobs; torchThread++) {
    await setThreads(torchThread, Math.max(1, Math.floor(defaultThreads() / jobs)));
  }
  try {
    return await work();
  } finally {
    await setThreads(0, defaultThreads()); // the one that all other work has, too
  }
}

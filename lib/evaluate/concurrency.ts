import { defaultThreads } from '../core/threads.js';
import { getEngine } from '../native.js';
import { runNative } from '../run-native.js';

/** More small networks at a time would wait for memory. */
const MOST_AT_ONCE = 8;

/** How many small networks to train at a time: one thread each is enough for them; a GPU is kept busy by one. */
export async function concurrencyFor(device: string): Promise<number> {
  if (device.startsWith('cuda')) return 1;
  const engine = await getEngine();
  if (device === 'auto' && (await engine.deviceInfo(new engine.Task(0))).name !== '') return 1;
  return Math.min(defaultThreads(), MOST_AT_ONCE);
}

/** Does work that uses so many torch threads, with the cores shared out among them. */
export async function sharingCores<R>(lanes: number, work: () => Promise<R>): Promise<R> {
  if (lanes === 1) return work();
  const setThreads = (torchThread: number, count: number) =>
    runNative({ torchThread }, (engine, task) => engine.setThreads(count, task));
  for (let torchThread = 0; torchThread < lanes; torchThread++) {
    await setThreads(torchThread, Math.max(1, Math.floor(defaultThreads() / lanes)));
  }
  try {
    return await work();
  } finally {
    await setThreads(0, defaultThreads()); // the one that all other work has, too
  }
}

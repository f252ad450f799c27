import { defaultThreads } from '../core/threads.js';
import { getEngine } from '../native.js';
import { runNative } from '../run-native.js';

/** More small networks at once would be limited by the memory bandwidth. */
const MAX_AT_ONCE = 8;

/**
 * Returns the number of small networks to train at once. Each needs one thread only, but a single one occupies a GPU.
 */
export async function concurrencyFor(device: string): Promise<number> {
  if (device.startsWith('cuda')) return 1;
  const engine = await getEngine();
  if (device === 'auto' && (await engine.deviceInfo(new engine.Task(0))).name !== '') return 1;
  return Math.min(defaultThreads(), MAX_AT_ONCE);
}

/** Does work on `lanes` torch threads and divides the cores among them. */
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
    await setThreads(0, defaultThreads()); // All other work uses torch thread 0.
  }
}

/** Decides which workers may run a job. Jobs that need the same are in one queue, whose name tells what they need. */
import type { JobRequest } from './job-queue.js';
import type { Capabilities } from './workers.js';

const GB = 1e9;
/** Every worker has this memory, so that smaller jobs need no queue of their own. */
const SMALL_BYTES = 2 * GB;

/** Jobs without a base of their own, and those that any worker can run, are in this queue. */
const COMMON = 'jobs';
/** Names of bases do not contain the characters that separate the parts of a queue's name. */
const QUEUE = /^(?:jobs|base\.([^@+]+))(@cuda)?(?:\+(\d{1,6})GB)?$/;

/** What the jobs of a queue need. */
export interface Needs {
  base?: string | undefined;
  cuda: boolean;
  /** Bytes of memory on a worker without a GPU. */
  memoryBytes: number;
}

/** Rounds up to four significant bits, so that estimates of all sizes make few queues. */
function roundUp(gigabytes: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(gigabytes)) - 3);
  return Math.ceil(gigabytes / step) * step;
}

/** Returns the queue of the jobs that need the same base, device and memory. */
export function queueOf({ options }: Pick<JobRequest, 'options'>, memoryBytes = 0): string {
  const { base, device } = options;
  const cuda = typeof device === 'string' && device.startsWith('cuda');
  const isSmall = cuda || memoryBytes <= SMALL_BYTES;
  const memory = isSmall ? '' : `+${roundUp(Math.ceil(memoryBytes / GB))}GB`;
  return `${base === undefined ? COMMON : `base.${base}`}${cuda ? '@cuda' : ''}${memory}`;
}

/** Reads what the jobs of a queue need. Returns undefined for a name that no queue of the service has. */
export function needsOf(queue: string): Needs | undefined {
  const [found, base, cuda, gigabytes = '0'] = QUEUE.exec(queue) ?? [];
  if (found === undefined) return undefined;
  return { base, cuda: cuda !== undefined, memoryBytes: Number(gigabytes) * GB };
}

/** Returns whether a worker has the base and the device that jobs need. */
export function hasTools({ base, cuda }: Needs, worker: Pick<Capabilities, 'device' | 'bases'>): boolean {
  return (base === undefined || worker.bases.includes(base)) && (!cuda || worker.device !== 'cpu');
}

/** Returns whether jobs fit into a number of bytes on a worker. The estimates are those of CPUs, so that GPUs take all. */
export function hasMemory({ memoryBytes }: Needs, { device }: Pick<Capabilities, 'device'>, bytes: number): boolean {
  return device !== 'cpu' || memoryBytes <= bytes;
}

/** Returns whether a worker could run jobs if it had nothing else to do. */
export const canRun = (needs: Needs, worker: Pick<Capabilities, 'device' | 'bases' | 'memoryBytes'>): boolean =>
  hasTools(needs, worker) && hasMemory(needs, worker, worker.memoryBytes);

/** Starts workers as processes, and waits for what they do. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Job, JobQueue, QueueEvent } from '../../lib/queue/job-queue.js';
import { main } from './cli.js';

export interface WorkerProcess {
  process: ChildProcess;
  /** What it has said so far. */
  output(): string;
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts a worker on the CPU whose lock expires soon, so that others take its jobs over quickly. */
export function startWorker(redis: string, store: string, ...more: string[]): WorkerProcess {
  const args = ['worker', '--redis', redis, '--store', store, '--lock-seconds', '2', '--copy-seconds', '0.1', ...more];
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, CUDA_VISIBLE_DEVICES: '' } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += data;
    });
  }
  const closed = once(child, 'close');
  return {
    process: child,
    output: () => output,
    async stop(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const [code] = await closed;
      return code as number | null;
    },
  };
}

/** Jobs in processes take long on a machine that is busy. */
export const PATIENCE_MS = 300_000;

/** Reads the events of a job until one of them is wanted. Fails if the job ends before. */
export async function untilEvent(
  queue: JobQueue,
  id: string,
  isWanted: (event: QueueEvent) => boolean,
): Promise<QueueEvent> {
  for await (const { event } of queue.events(id, { signal: AbortSignal.timeout(PATIENCE_MS) })) {
    if (isWanted(event)) return event;
  }
  throw new Error(`the job ${id} ended too early: ${JSON.stringify(await queue.get(id))}`);
}

/** Waits for the end of a job. */
export async function ended(queue: JobQueue, id: string): Promise<Job> {
  for await (const _ of queue.events(id, { signal: AbortSignal.timeout(PATIENCE_MS) }));
  return queue.get(id);
}

/** Runs workers beside the service as processes of their own, and starts those again that die. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { packageRoot } from '../core/paths.js';

/** A worker that dies is started again after this time, and after twice of it each time that it dies soon again. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

export interface WorkerProcessesSettings {
  count: number;
  /** The address of Redis. It goes into the environment, because other users of a machine can read flags. */
  redis: string;
  /** The flags of each worker, without the address of Redis. */
  flags: readonly string[];
  /** Receives the lines that a worker writes, and what becomes of it. Workers have numbers from 1 on. */
  onNote(worker: number, message: string): void;
  /** The program and its arguments in front of the flags. The tests have others. */
  command?: readonly [string, ...string[]];
}

const WORKER = [process.execPath, join(packageRoot, 'dist', 'cli', 'main.js'), 'worker'] as const;

export class WorkerProcesses {
  readonly #stopping = new AbortController();
  readonly #running = new Set<ChildProcess>();
  readonly #slots: Promise<void>[];

  constructor(private readonly settings: WorkerProcessesSettings) {
    this.#slots = Array.from({ length: settings.count }, (_, index) => this.#keepRunning(index + 1));
  }

  /** Tells the workers to end. Their jobs reach a checkpoint and go back to the queue. Resolves when all have ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const child of this.#running) child.kill('SIGTERM');
    await Promise.all(this.#slots);
  }

  async #keepRunning(worker: number): Promise<void> {
    const { signal } = this.#stopping;
    for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      const from = performance.now();
      const end = await this.#run(worker);
      if (signal.aborted) return;
      if (performance.now() - from > LONGEST_PAUSE_MS) pause = FIRST_PAUSE_MS;
      this.settings.onNote(worker, `the worker has ended (${end}). It is started again in ${pause / 1000} s`);
      await wait(pause, undefined, { signal }).catch(() => {});
    }
  }

  /** Runs a worker until it ends, and returns how that happened. */
  async #run(worker: number): Promise<string> {
    const { redis, flags, onNote, command: [program, ...args] = WORKER } = this.settings;
    const { DUALANODIFF_TOKEN: _, ...env } = process.env; // Only the service needs the token.
    const child = spawn(program, [...args, ...flags], {
      env: { ...env, DUALANODIFF_REDIS: redis },
      // A worker ends when this channel closes, so that none is left if the service is killed.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C in a terminal reaches the service alone, which then tells the workers once.
      detached: true,
    });
    this.#running.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream as Readable }).on('line', (line) => onNote(worker, line));
    }
    try {
      const [code, signal] = await once(child, 'close');
      return signal === null ? `exit code ${code}` : String(signal);
    } catch (error) {
      return (error as Error).message; // The program cannot be started.
    } finally {
      this.#running.delete(child);
    }
  }
}

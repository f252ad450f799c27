import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { embedded } from '../../lib/core/paths.js';
import { kebabCase } from '../../lib/options/option.js';

const root = join(import.meta.dirname, '..', '..');
/** The built command line. */
export const main = join(root, 'dist', 'cli', 'main.js');

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** Another build of the command line. */
  main?: string;
  /** Sent after so many milliseconds, or when the output first matches. */
  kill?: { signal: NodeJS.Signals; afterMs?: number; when?: RegExp };
}

/** Options of a job as the flags of its command. */
export const flagsOf = (options: object): string[] =>
  Object.entries(options).flatMap(([name, value]) => {
    if (typeof value === 'boolean') return [`--${value ? '' : 'no-'}${kebabCase(name)}`];
    return [`--${kebabCase(name)}`, String(value)];
  });

/** `train` on the example set's stains, at a size that takes no time. */
export const trainStains = (out: string, ...more: string[]): string[] => [
  ...['train', '--data', embedded.example, '--type', 'stain'],
  ...['--out', out, '--resolution', '32', ...more],
];

/** Runs the command line in a process of its own. */
export function cli(args: string[], options: RunOptions = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [options.main ?? main, ...args], {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
    });
    let stdout = '';
    let stderr = '';
    const { kill } = options;
    if (kill?.afterMs !== undefined) setTimeout(() => child.kill(kill.signal), kill.afterMs);
    let killed = false; // once: a second signal may reach a process that no longer listens
    const watch = () => {
      if (killed || !kill?.when?.test(stdout + stderr)) return;
      killed = true;
      child.kill(kill.signal);
    };
    child.stdout.on('data', (data) => {
      stdout += data;
      watch();
    });
    child.stderr.on('data', (data) => {
      stderr += data;
      watch();
    });
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

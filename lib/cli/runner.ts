import type { Command } from 'commander';
import { AbortedError, DualAnoDiffError } from '../errors.js';
import { startProfile, stopProfile } from '../profile.js';
import { Console } from './console.js';

export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

export interface Context {
  /** Fires on Ctrl-C. */
  signal: AbortSignal;
  io: Console;
}

/** Connects commands to what all of them share: --json, Ctrl-C, errors as one line, exit codes. */
export class Runner {
  #abort = new AbortController();

  constructor() {
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => {
        if (this.#abort.signal.aborted) process.exit(EXIT.interrupted); // asked twice: do not wait for the step's end
        this.#abort.abort(new AbortedError());
      });
    }
  }

  attach<Flags>(command: Command, action: (flags: Flags, context: Context) => Promise<void>): void {
    command
      .option('--json', 'one line of JSON for machines, no progress')
      .option('--debug', 'show the stack of an error');
    command.action(async (flags: Flags & { json?: boolean; debug?: boolean; profile?: boolean }) => {
      const { json = false, debug = false, profile = false, ...rest } = flags;
      const io = new Console(json);
      try {
        if (profile) await startProfile();
        try {
          await action(rest as Flags, { signal: this.#abort.signal, io });
        } finally {
          if (profile) io.profile(await stopProfile()); // of what was interrupted, too
        }
      } catch (error) {
        process.exitCode = report(error, debug);
      }
    });
  }
}

/** Prints one line; a stack only for what we did not foresee, or when asked. Returns the exit code. */
function report(error: unknown, debug: boolean): number {
  if (error instanceof AbortedError) {
    process.stderr.write('interrupted\n');
    return EXIT.interrupted;
  }
  const known = error instanceof DualAnoDiffError;
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`error: ${text}${known ? ` (${error.code})` : ''}\n`);
  if (debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return known && error.code === 'ERR_INVALID_OPTION' ? EXIT.usage : EXIT.failed;
}

import type { Command } from 'commander';
import { AbortedError, DualAnoDiffError } from '../core/errors.js';
import { startProfile, stopProfile } from '../profile.js';
import { Console } from './console.js';

export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/**
 * A second Ctrl-C does not wait for the step's end. Within this time it is the first one again: the terminal sends it to
 * every process, and npx and npm send it on.
 */
const SAME_SIGNAL_MS = 500;

export interface Context {
  /** Fires on Ctrl-C, on SIGTERM, and when the terminal is closed. */
  signal: AbortSignal;
  io: Console;
}

/** Connects commands to what all of them share: --json, Ctrl-C, errors as one line, exit codes. */
export class Runner {
  #abort = new AbortController();

  constructor() {
    let first = 0;
    const abort = () => {
      first ||= performance.now();
      this.#abort.abort(new AbortedError());
    };
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => {
        if (first > 0 && performance.now() - first > SAME_SIGNAL_MS) process.exit(EXIT.interrupted);
        abort();
      });
    }
    process.on('SIGHUP', abort); // a closed terminal sends it more than once: it is never a second Ctrl-C
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

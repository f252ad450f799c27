import { AbortedError, DualAnoDiffError } from '../core/errors.js';
import type { JobContext } from '../jobs/job.js';
import { startProfile, stopProfile } from '../profile.js';
import { Console, type ProgressMode } from './console.js';
import { passWarnings } from './warnings.js';

export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/**
 * A second Ctrl-C ends the process without waiting for the end of the step. A second signal within this time counts as
 * the same Ctrl-C, because the terminal sends it to every process, and npx and npm forward it as well.
 */
const SAME_SIGNAL_MS = 500;

/** Holds the result of a command, for people and, with --json, for machines. */
export interface Outcome {
  text: string;
  value: object;
  /** True if a part of the work failed and the command finished the rest. */
  hasFailed?: boolean;
}

/** The signal fires on Ctrl-C, on SIGTERM, and when the terminal is closed. */
export interface CommandContext extends JobContext {
  signal: AbortSignal;
  /** Prints a line for people. With --json it prints nothing. */
  say(line: string): void;
}

/** Holds the flags that all commands share. */
export interface SharedFlags {
  json?: boolean;
  progress?: ProgressMode;
  profile?: boolean;
}

/** Runs commands and handles --json, progress, Ctrl-C, errors and exit codes for all of them. */
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
    // A closed terminal sends this signal more than once, so it is never a second Ctrl-C.
    process.on('SIGHUP', abort);
  }

  async run(
    { json = false, progress, profile = false }: SharedFlags,
    action: (context: CommandContext) => Promise<Outcome>,
  ): Promise<void> {
    const io = new Console(json, progress ?? (json ? 'none' : 'bar'));
    passWarnings((message) => io.report({ event: 'warning', message }));
    const context: CommandContext = {
      signal: this.#abort.signal,
      onEvent: (event) => io.report(event),
      say: (line) => io.say(line),
    };
    try {
      if (profile) await startProfile();
      try {
        const { text, value, hasFailed = false } = await action(context);
        io.result(text, value);
        if (hasFailed) process.exitCode = EXIT.failed;
      } finally {
        // The profile of an interrupted command is useful, too.
        if (profile) io.profile(await stopProfile());
      }
    } catch (error) {
      process.exitCode = reportError(error, io);
    }
  }
}

/** Prints an error as one line, with its stack if DUALANODIFF_DEBUG is set. Returns the exit code. */
function reportError(error: unknown, io: Console): number {
  const isKnown = error instanceof DualAnoDiffError;
  const message = error instanceof Error ? error.message : String(error);
  const code = isKnown ? error.code : 'ERR_UNEXPECTED';
  const isAbort = error instanceof AbortedError;
  io.error(isAbort ? 'interrupted' : `error: ${message}${isKnown ? ` (${code})` : ''}`, { code, message });
  if (process.env.DUALANODIFF_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  if (isAbort) return EXIT.interrupted;
  return code === 'ERR_INVALID_OPTION' ? EXIT.usage : EXIT.failed;
}

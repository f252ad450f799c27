import { DualAnoDiffError, errorFromCode } from '../core/errors.js';

/** Runs of an evaluation that failed while the others went on. */
export class RunFailures {
  readonly #failures: { run: string; error: unknown }[] = [];
  #callbackError: { error: unknown } | undefined;

  constructor(
    /** How many runs there are. */
    readonly total: number,
  ) {}

  /**
   * Does a run. What it throws is kept for the end; where `signal` has fired, or the caller's own callback has thrown, all
   * runs end.
   */
  async collect<R>(run: string, signal: AbortSignal, work: () => Promise<R>): Promise<R | undefined> {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || this.#callbackError?.error === error || this.total === 1) throw error;
      this.#failures.push({ run, error });
      return undefined;
    }
  }

  /** Calls back to the caller. */
  callback(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#callbackError = { error };
      throw error;
    }
  }

  /** The results, if all runs have one. Throws the first failure, saying how many there were. */
  requireAll<R>(results: readonly (R | undefined)[]): R[] {
    const [first] = this.#failures;
    if (first === undefined) return results as R[];
    const { run, error } = first;
    const code = error instanceof DualAnoDiffError ? error.code : 'ERR_UNEXPECTED';
    const message = error instanceof Error ? error.message : String(error);
    throw errorFromCode(
      code,
      `${this.#failures.length} of ${this.total} runs failed; the others are kept. ${run}: ${message}`,
      { cause: error },
    );
  }
}

import { DualAnoDiffError, errorFromCode } from '../core/errors.js';

/** Collects the runs of an evaluation that fail while the others continue. */
export class RunFailures {
  readonly #failures: { run: string; error: unknown }[] = [];
  #callbackError: { error: unknown } | undefined;

  constructor(
    /** The number of all runs. */
    readonly total: number,
  ) {}

  /**
   * Does a run and keeps its error for the end. If `signal` has fired, or the caller's own callback has thrown, the
   * error is thrown at once and ends all runs.
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

  /** Calls a callback of the caller and remembers the error that it throws. */
  callback(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#callbackError = { error };
      throw error;
    }
  }

  /** Returns the results if no run has failed. Throws the first error otherwise, with the number of failures. */
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

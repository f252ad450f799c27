/** Collects what is wrong with the entries of a dataset. Commands stop at the first fault, and `check` lists all of them. */
import { fewAtOnce } from '../core/few-at-once.js';

/** Receives the errors of entries that cannot be used. It throws them, or keeps them so that reading goes on. */
export class Faults {
  readonly #isKeeping: boolean;
  /** Many entries may share one cause, such as the name of a class. It is kept once. */
  readonly #byMessage = new Map<string, unknown>();

  private constructor(isKeeping: boolean) {
    this.#isKeeping = isKeeping;
  }

  /** Throws the first fault. */
  static readonly thrown = new Faults(false);

  /** Keeps all faults. */
  static keep(): Faults {
    return new Faults(true);
  }

  /** The errors in the order of the entries. */
  get found(): readonly unknown[] {
    return [...this.#byMessage.values()];
  }

  get isEmpty(): boolean {
    return this.#byMessage.size === 0;
  }

  add(error: unknown): void {
    if (!this.#isKeeping) throw error;
    const message = error instanceof Error ? error.message : String(error);
    if (!this.#byMessage.has(message)) this.#byMessage.set(message, error);
  }

  /** Does a part of the work. Returns undefined if it fails. */
  async attempt<Result>(work: () => Result | Promise<Result>): Promise<Result | undefined> {
    try {
      return await work();
    } catch (error) {
      this.add(error);
      return undefined;
    }
  }

  /** Reads an entry, which gets a collector of its own. Returns undefined if anything in the entry has a fault. */
  async read<Result>(work: (own: Faults) => Promise<Result>): Promise<Result | undefined> {
    const own = new Faults(this.#isKeeping);
    const result = await own.attempt(() => work(own));
    this.#take(own);
    return own.isEmpty ? result : undefined;
  }

  /**
   * Reads entries as `read` does, a few at once. Returns the results of those without a fault, in the order of the
   * entries. Results that are undefined are left out.
   */
  async readEach<Entry, Result>(
    entries: readonly Entry[],
    work: (entry: Entry, own: Faults) => Promise<Result | undefined>,
  ): Promise<Result[]> {
    const read = await fewAtOnce(entries, async (entry) => {
      const own = new Faults(this.#isKeeping);
      const result = await own.attempt(() => work(entry, own));
      return { result, own };
    });
    for (const { own } of read) this.#take(own);
    return read.filter(({ own }) => own.isEmpty).flatMap(({ result }) => (result === undefined ? [] : [result]));
  }

  #take(other: Faults): void {
    for (const error of other.found) this.add(error);
  }
}

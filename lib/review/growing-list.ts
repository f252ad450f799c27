/** A list that grows while requests wait for its next items. */
export class GrowingList<T> {
  readonly items: T[] = [];
  readonly #listeners = new Set<() => void>();

  add(item: T): void {
    this.items.push(item);
    for (const listener of this.#listeners) listener();
  }

  /** Waits until the list has so many items, or some time has passed, or the signal fires. */
  until(count: number, longestMs: number, signal: AbortSignal): Promise<void> {
    const isLongEnough = () => this.items.length >= count;
    if (isLongEnough() || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const look = () => {
        if (isLongEnough()) end();
      };
      const timer = setTimeout(end, longestMs);
      this.#listeners.add(look);
      signal.addEventListener('abort', end);
    });
  }
}

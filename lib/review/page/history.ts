/** Remembers the changes of a mask, so that they can be undone and done again. */
import type { Mask } from './mask.js';

/** The rows that a change touched, before and after it. */
interface Change {
  start: number;
  before: Uint8Array;
  after: Uint8Array;
}

/** The number of changes that are remembered. */
const LIMIT = 200;

export class History {
  #done: Change[] = [];
  #undone: Change[] = [];

  constructor(readonly mask: Mask) {}

  get canUndo(): boolean {
    return this.#done.length > 0;
  }

  get canRedo(): boolean {
    return this.#undone.length > 0;
  }

  /** Remembers the difference between `before` and the mask. A change of no pixel is no change. */
  record(before: Uint8Array): void {
    const { data } = this.mask;
    let start = 0;
    while (start < data.length && data[start] === before[start]) start++;
    if (start === data.length) return;
    let end = data.length;
    while (data[end - 1] === before[end - 1]) end--;
    this.#done.push({ start, before: before.slice(start, end), after: data.slice(start, end) });
    this.#undone = [];
    if (this.#done.length > LIMIT) this.#done.shift();
  }

  undo(): void {
    const change = this.#done.pop();
    if (!change) return;
    this.mask.data.set(change.before, change.start);
    this.#undone.push(change);
  }

  redo(): void {
    const change = this.#undone.pop();
    if (!change) return;
    this.mask.data.set(change.after, change.start);
    this.#done.push(change);
  }
}

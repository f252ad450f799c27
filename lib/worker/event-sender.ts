/**
 * Sends the events of a worker's jobs, those of a short time in one request, which costs as much as a small job. A job
 * that completes within this time, and has told of nothing else, may tell only of its end.
 */
import type { JobEventEntry } from '../queue/job-events.js';
import type { QueueEvent } from '../queue/job-queue.js';
import { thinProgress } from '../queue/thin-progress.js';

/** An event waits at most this long for others, and for at most this number of them. */
const SEND_AFTER_MS = 50;
const MAX_TOGETHER = 500;

export class EventSender {
  #waiting: JobEventEntry[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `append` does not wait for earlier events, because the connection keeps them in their order. */
  constructor(private readonly append: (entries: readonly JobEventEntry[]) => Promise<void>) {}

  /** Returns a function that takes the events of one job. */
  of(id: string): (event: QueueEvent) => void {
    return thinProgress((event) => {
      // A job of no work is told of by one event instead of two, because each costs a hundredth of its time.
      if (event.event === 'end' && this.#isUntoldStart(this.#waiting.at(-1), id)) this.#waiting.pop();
      this.#waiting.push({ id, event });
      if (this.#waiting.length >= MAX_TOGETHER) this.send();
      else this.#timer ??= setTimeout(() => this.send(), SEND_AFTER_MS);
    });
  }

  #isUntoldStart(newest: JobEventEntry | undefined, id: string): boolean {
    return newest?.id === id && newest.event.event === 'state' && newest.event.state === 'running';
  }

  /** Sends the events that wait. */
  send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const entries = this.#waiting;
    this.#waiting = [];
    if (entries.length > 0) this.append(entries).catch(() => {}); // Events only inform.
  }
}

/** Sends the events of a worker's jobs, those of a short time in one request, which costs as much as a small job. */
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
      this.#waiting.push({ id, event });
      if (this.#waiting.length >= MAX_TOGETHER) this.send();
      else this.#timer ??= setTimeout(() => this.send(), SEND_AFTER_MS);
    });
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

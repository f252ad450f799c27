/** Sends the events of a job one after the other. */
import type { QueueEvent } from '../queue/job-queue.js';
import { thinProgress } from '../queue/thin-progress.js';

export class EventLog {
  #written: Promise<unknown> = Promise.resolve();
  readonly add: (event: QueueEvent) => void;

  constructor(append: (event: QueueEvent) => Promise<void>) {
    this.add = thinProgress((event: QueueEvent) => {
      this.#written = this.#written.then(() => append(event)).catch(() => {}); // Events only inform.
    });
  }

  /** Resolves when all events are sent. */
  async written(): Promise<void> {
    await this.#written;
  }
}

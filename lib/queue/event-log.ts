/** Keeps the events of one job in a file, and passes them to readers who may come late or read slowly. */
import { z } from 'zod';
import { InvalidOptionError } from '../core/errors.js';
import { writeFileAtomic } from '../core/files.js';
import { appendJsonLine, readJsonLines } from '../core/json-files.js';
import type { QueueEvent, StoredEvent } from './job-queue.js';
import { MAX_EVENTS } from './kept.js';

const eventSchema = z.looseObject({ event: z.string() });

/** Returns the number of events up to and including the one with an identifier. Throws ERR_INVALID_OPTION. */
function countUpTo(id: string | undefined): number {
  if (id === undefined) return 0;
  const [, count] = /^(\d{1,15})(-\d{1,15})?$/.exec(id) ?? []; // A queue in Redis has identifiers of two numbers.
  if (count !== undefined) return Number(count);
  throw new InvalidOptionError(`Expected the identifier of an event of this job but received ${JSON.stringify(id)}`);
}

/** An event's identifier is its number in the log, from 1 on. */
export class EventLog {
  #written: Promise<void> = Promise.resolve();
  readonly #waiting = new Set<() => void>();
  /** The number of events before those in memory. */
  #dropped = 0;

  private constructor(
    private readonly file: string,
    /** The newest events. */
    private readonly events: QueueEvent[],
    /** The whole lines of a file that ends with a part of a line, which the next event must not continue. */
    private whole: string | undefined,
  ) {
    this.#drop();
  }

  /** Returns the empty log of a new job. */
  static create(file: string): EventLog {
    return new EventLog(file, [], undefined);
  }

  /** Reads the log of a job. A missing file is an empty log. Throws ERR_FILE_ACCESS. */
  static async open(file: string): Promise<EventLog> {
    const { text, lines, torn } = await readJsonLines(file, eventSchema);
    return new EventLog(
      file,
      lines.map(({ value }) => value as unknown as QueueEvent),
      torn ? text.slice(0, text.lastIndexOf('\n') + 1) : undefined,
    );
  }

  /** Adds an event, tells the readers, and resolves when the event is in the file. Throws ERR_FILE_ACCESS. */
  append(event: QueueEvent): Promise<void> {
    const { whole } = this;
    this.whole = undefined;
    this.events.push(event);
    this.#drop();
    for (const wake of this.#waiting) wake();
    const write = async () => {
      if (whole !== undefined) await writeFileAtomic(this.file, whole);
      await appendJsonLine(this.file, event);
    };
    this.#written = this.#written.then(write, write);
    return this.#written;
  }

  /**
   * Yields the events after an identifier, and then new ones as they come, until one ends the job or the signal fires.
   * Readers keep only their place in the log, so that a slow one needs no memory.
   */
  async *after(id: string | undefined, signal: AbortSignal): AsyncGenerator<StoredEvent, void, undefined> {
    for (let next = countUpTo(id); !signal.aborted; ) {
      next = Math.max(next, this.#dropped);
      const event = this.events[next - this.#dropped];
      if (event === undefined) {
        if (this.events.at(-1)?.event === 'end') return;
        await this.#change(signal);
        continue;
      }
      next++;
      yield { id: String(next), event };
    }
  }

  /** Drops the oldest events from the memory, many at once, because the array is copied. */
  #drop(): void {
    if (this.events.length < 2 * MAX_EVENTS) return;
    this.#dropped += this.events.length - MAX_EVENTS;
    this.events.splice(0, this.events.length - MAX_EVENTS);
  }

  /** Resolves at the next event, and when the signal fires. */
  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}

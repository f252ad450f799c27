/** Keeps the events of one job in a file, and passes them to readers who may come late or read slowly. */
import { z } from 'zod';
import { InvalidOptionError } from '../core/errors.js';
import { writeFileAtomic } from '../core/files.js';
import { appendJsonLine, jsonLines, readJsonLines } from '../core/json-files.js';
import type { QueueEvent, StoredEvent } from './job-queue.js';

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

  private constructor(
    private readonly file: string,
    private readonly events: QueueEvent[],
    /** True if the file ends with a part of a line, which the next event must not continue. */
    private isTorn: boolean,
  ) {}

  /** Returns the empty log of a new job. */
  static create(file: string): EventLog {
    return new EventLog(file, [], false);
  }

  /** Reads the log of a job. A missing file is an empty log. Throws ERR_FILE_ACCESS. */
  static async open(file: string): Promise<EventLog> {
    const { lines, torn } = await readJsonLines(file, eventSchema);
    return new EventLog(
      file,
      lines.map(({ value }) => value as unknown as QueueEvent),
      torn,
    );
  }

  /** Adds an event, tells the readers, and resolves when the event is in the file. Throws ERR_FILE_ACCESS. */
  append(event: QueueEvent): Promise<void> {
    const before = [...(this.isTorn ? this.events : [])];
    const repairs = this.isTorn;
    this.isTorn = false;
    this.events.push(event);
    for (const wake of this.#waiting) wake();
    const write = async () => {
      if (repairs) await writeFileAtomic(this.file, jsonLines(before));
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
      const event = this.events[next];
      if (event === undefined) {
        if (this.events.at(-1)?.event === 'end') return;
        await this.#change(signal);
        continue;
      }
      next++;
      yield { id: String(next), event };
    }
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

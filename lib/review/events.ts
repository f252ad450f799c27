/** Sends the changes of a review to its pages as server-sent events. */
import type { ServerResponse } from 'node:http';
import type { ReviewChange } from './contract.js';
import type { ReviewSession } from './session.js';

/** A comment is sent this often, so that nothing on the way takes the connection for a dead one. */
const KEEP_ALIVE_MS = 20_000;
/** A page that lets this much pile up is cut off. It connects again and gets what it missed. */
const MAX_WAITING_BYTES = 2 ** 20;

const textOf = (change: ReviewChange): string =>
  `id: ${change.event}\nevent: change\ndata: ${JSON.stringify(change)}\n\n`;

/** The open streams of all pages. */
export class EventStreams {
  readonly #open = new Set<ServerResponse>();
  #isEnded = false;

  /** `onLeave` is called when a page has gone away. */
  constructor(
    private readonly session: Pick<ReviewSession, 'changesAfter' | 'subscribe'>,
    private readonly onLeave: () => void = () => {},
  ) {}

  /** Sends the changes after the event `after`, and each change from now on, until the page goes away. */
  add(response: ServerResponse, after: number): void {
    if (response.destroyed) return; // The page has gone while the review was opened, and no event tells that later.
    if (this.#isEnded) {
      response.end();
      return;
    }
    const send = (text: string) => {
      if (response.writableLength > MAX_WAITING_BYTES) response.destroy();
      else response.write(text);
    };
    // The missed changes are one text, because many small ones would pile up before the first is sent.
    send(['retry: 1000\n\n', ...this.session.changesAfter(after).map(textOf)].join(''));
    const unsubscribe = this.session.subscribe((change) => send(textOf(change)));
    const timer = setInterval(() => send(': still here\n\n'), KEEP_ALIVE_MS);
    this.#open.add(response);
    response.on('close', () => {
      clearInterval(timer);
      unsubscribe();
      this.#open.delete(response);
      this.onLeave();
    });
  }

  /** The number of pages that listen. */
  get size(): number {
    return this.#open.size;
  }

  /** Ends all streams, and those that are added later. */
  close(): void {
    this.#isEnded = true;
    for (const response of this.#open) response.end();
  }
}

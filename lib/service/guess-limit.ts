/** Limits how many wrong tokens an address may try, because tokens could be guessed otherwise. */

const WINDOW_MS = 60_000;
/** After this many wrong tokens in a window, an address may use only tokens that it has used before. */
const MAX_WRONG = 20;
/** After this many, a connection's other end may use no token at all. It may be a proxy with many clients behind it. */
const MAX_WRONG_OF_PEER = 200;
/** Addresses beyond this number are forgotten, the oldest first, so that many of them need no memory. */
const MAX_KEPT = 10_000;

/** Who sends a request. */
export interface Sender {
  /** The address of the client, which a proxy on this machine may have told. */
  address: string;
  /** The other end of the connection. */
  peer: string;
}

interface Count {
  wrong: number;
  /** The count ends at this time in milliseconds. */
  end: number;
}

function removeOldest(kept: Map<string, unknown> | Set<string>): void {
  if (kept.size > MAX_KEPT) for (const key of kept.keys()) return void kept.delete(key);
}

export class GuessLimit {
  readonly #addresses = new Map<string, Count>();
  readonly #peers = new Map<string, Count>();
  /** The clients that each address has used the tokens of. */
  readonly #known = new Set<string>();

  /** `now` returns the time in milliseconds. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /**
   * Counts a token. `client` is the one that the token belongs to, and undefined for a wrong token. Returns the seconds
   * for which the request must be refused, whether its token is right or not, and 0 if it need not be.
   */
  count({ address, peer }: Sender, client: string | undefined): number {
    const wait = this.#secondsLeft(this.#peers, peer, MAX_WRONG_OF_PEER);
    const isKnown = client !== undefined && this.#known.has(`${address} ${client}`);
    const seconds = wait || (isKnown ? 0 : this.#secondsLeft(this.#addresses, address, MAX_WRONG));
    if (client === undefined) {
      if (seconds === 0) this.#add(this.#addresses, address);
      this.#add(this.#peers, peer);
    } else if (seconds === 0) {
      this.#known.add(`${address} ${client}`);
      removeOldest(this.#known);
    }
    return seconds;
  }

  #add(counts: Map<string, Count>, key: string): void {
    const count = counts.get(key);
    if (count && count.end > this.now()) count.wrong++;
    else {
      counts.delete(key); // The newest is the last.
      counts.set(key, { wrong: 1, end: this.now() + WINDOW_MS });
      removeOldest(counts);
    }
  }

  #secondsLeft(counts: Map<string, Count>, key: string, max: number): number {
    const count = counts.get(key);
    return count && count.wrong >= max ? Math.max(0, Math.ceil((count.end - this.now()) / 1000)) : 0;
  }
}

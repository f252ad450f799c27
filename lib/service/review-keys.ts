/**
 * Lets the page of a review in. Its pictures and its stream of events cannot send a token, so that the browser gets a
 * cookie in exchange for the token, which opens the review of one job only.
 */
import { createHash, randomBytes } from 'node:crypto';

const COOKIE = 'dualanodiff-review';
/** A page works for this long. Then the review has to be opened again. */
const VALID_MS = 12 * 3600 * 1000;
/** Keys beyond this number are forgotten, the oldest first. */
const MAX_KEYS = 10_000;

interface Key {
  job: string;
  client: string;
  /** The key ends at this time in milliseconds. */
  end: number;
}

/** Keys are found by their digests, so that the time of a search tells nothing of them. */
const digestOf = (key: string) => createHash('sha256').update(key).digest('hex');

export class ReviewKeys {
  readonly #keys = new Map<string, Key>();

  /** `now` returns the time in milliseconds. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Returns the header that gives a browser a key. It goes over encrypted connections only if `isSecure` is true. */
  cookieFor(job: string, client: string, isSecure: boolean): string {
    const key = randomBytes(24).toString('base64url');
    this.#keys.set(digestOf(key), { job, client, end: this.now() + VALID_MS });
    if (this.#keys.size > MAX_KEYS) this.#keys.delete(this.#keys.keys().next().value as string);
    const scope = `Path=/v1/jobs/${job}/review/; Max-Age=${VALID_MS / 1000}; HttpOnly; SameSite=Strict`;
    return `${COOKIE}=${key}; ${scope}${isSecure ? '; Secure' : ''}`;
  }

  /** Returns the client whose key for a job is in the header Cookie, or undefined. */
  clientOf(cookies: string | undefined, job: string): string | undefined {
    for (const cookie of (cookies ?? '').split(';')) {
      const [name, value = ''] = cookie.trim().split('=', 2);
      if (name !== COOKIE) continue;
      const key = this.#keys.get(digestOf(value));
      if (key?.job === job && key.end > this.now()) return key.client;
    }
    return undefined;
  }
}

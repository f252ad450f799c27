/** Draws random numbers that depend on nothing but their keys. */
import { createHash } from 'node:crypto';

export interface Random {
  /** Returns a number in [0, 1). */
  next(): number;
  /** Returns an integer from 0 to `count` - 1. */
  below(count: number): number;
}

/**
 * Starts a sequence that is the same for the same keys on every machine. The numbers are digests of the keys and a
 * counter, so sequences of similar keys are not related.
 */
export function randomFrom(...keys: readonly number[]): Random {
  let counter = 0;
  const next = () =>
    createHash('sha256')
      .update([...keys, counter++].join('/'))
      .digest()
      .readUIntBE(0, 6) /
    2 ** 48;
  return { next, below: (count) => Math.floor(next() * count) };
}

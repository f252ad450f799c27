import { createHash } from 'node:crypto';

/** Returns a number for a text, 0 to 1 without 1, which is the same on every machine. */
export const fractionOf = (text: string): number =>
  createHash('sha256').update(text).digest().readUInt32LE(0) / 2 ** 32;

/** Returns a function that draws integers from 0 to `below` - 1. The same key gives the same sequence. */
export function drawsOf(key: string): (below: number) => number {
  let drawn = 0;
  return (below) => Math.floor(below * fractionOf(`${key} ${drawn++}`));
}

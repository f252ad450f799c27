/** Finds images that are stored twice, even if they were encoded anew or resized. */
import { setImmediate } from 'node:timers/promises';
import type { RawImage } from '../core/image.js';
import { resizeImage } from './image-file.js';

/** What is kept of an image: a perceptual hash (dHash) and a small grey picture. */
export interface Fingerprint {
  /** A bit for each two neighbouring fields of 9 x 8, which says whether the right one is brighter. */
  hash: readonly [number, number];
  /** SHRUNK_SIDE x SHRUNK_SIDE grey values. */
  picture: Uint8Array;
}

const COLUMNS = 9;
const ROWS = 8;
/** The hashes of doubles differ in at most this number of bits of 64. */
const MAX_BITS = 8;
/** The small pictures of doubles differ by at most this on average, and by at most this anywhere, in grey levels. */
const MAX_MEAN = 1.1;
const MAX_ANYWHERE = 10;
/** The number of images that are compared with all others between two pauses. */
const PAUSE_EVERY = 64;

function greyOf({ data, channels }: RawImage): Uint8Array {
  if (channels === 1) return data;
  return Uint8Array.from({ length: data.length / 3 }, (_, i) =>
    Math.round(((data[3 * i] as number) + (data[3 * i + 1] as number) + (data[3 * i + 2] as number)) / 3),
  );
}

/** Makes the fingerprint of an image that was shrunk to a square of `SHRUNK_SIDE` pixels. */
export async function fingerprintOf(picture: RawImage): Promise<Fingerprint> {
  const fields = greyOf(await resizeImage(picture, COLUMNS, ROWS));
  const hash: [number, number] = [0, 0];
  for (let bit = 0; bit < (COLUMNS - 1) * ROWS; bit++) {
    const at = Math.floor(bit / (COLUMNS - 1)) * COLUMNS + (bit % (COLUMNS - 1));
    const half = bit < 32 ? 0 : 1;
    if ((fields[at + 1] as number) > (fields[at] as number)) hash[half] |= 1 << (bit % 32);
  }
  return { hash, picture: greyOf(picture) };
}

/** Counts the bits of a 32-bit integer that are set. */
function bitsIn(value: number): number {
  let rest = value - ((value >>> 1) & 0x55555555);
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function isDouble(a: Fingerprint, b: Fingerprint): boolean {
  if (bitsIn(a.hash[0] ^ b.hash[0]) + bitsIn(a.hash[1] ^ b.hash[1]) > MAX_BITS) return false;
  let sum = 0;
  for (let i = 0; i < a.picture.length; i++) {
    const difference = Math.abs((a.picture[i] as number) - (b.picture[i] as number));
    if (difference > MAX_ANYWHERE) return false;
    sum += difference;
  }
  return sum <= MAX_MEAN * a.picture.length;
}

/** Groups the images that show the same picture. Returns the groups of at least two, as places in the list. */
export async function doublesAmong(fingerprints: readonly Fingerprint[]): Promise<number[][]> {
  const groups: number[][] = [];
  for (const [i, one] of fingerprints.entries()) {
    if (i % PAUSE_EVERY === 0) await setImmediate();
    const known = groups.find(([first]) => isDouble(fingerprints[first as number] as Fingerprint, one));
    if (known) known.push(i);
    else groups.push([i]);
  }
  return groups.filter((group) => group.length > 1);
}

/** Reads `reviews.jsonl`, the list of what people have decided about the generated pairs of a folder. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FileAccessError, withFileErrors } from '../core/errors.js';
import { fewAtOnce } from '../core/few-at-once.js';
import { jsonLines, readJsonLines } from '../core/json-files.js';
import { pathInside } from '../core/path-inside.js';
import type { Box } from './cut.js';
import { correctedPlaceOf, kindsOf, type PairRecord } from './pair-record.js';

/** The name of the list in a folder of pairs. */
export const REVIEW_LIST = 'reviews.jsonl';

/** A mask that somebody has corrected. */
export interface CorrectedMask {
  /** The path of the file, relative to the folder. */
  path: string;
  /** The number of marked pixels, at least 1. */
  area: number;
  /** The smallest box around the marked pixels. */
  box: Box;
}

/** What a line says besides the pair and the time. */
export type ReviewAction =
  | { action: 'keep' | 'drop' }
  | { action: 'mask'; mask: CorrectedMask }
  /** It takes back the action whose number is `undoes`. */
  | { action: 'undo'; undoes: number };

/** One line of `reviews.jsonl`. */
export type ReviewLine = ReviewAction & {
  /** The number of the line, from 1 on. */
  sequence: number;
  /** The number of the pair in the folder. */
  index: number;
  /** The digest of the pair's files. A line about an earlier pair of the same number has another one. */
  digest: string;
  /** The time in ISO 8601. */
  time: string;
};

const whole = (low: number) => z.int(`expected an integer of at least ${low}`).min(low);
const common = { sequence: whole(1), index: whole(0), digest: z.string('expected text'), time: z.string() };
const box = z.looseObject({ left: whole(0), top: whole(0), width: whole(1), height: whole(1) });
const mask = z.looseObject({ path: z.string('expected a path'), area: whole(1), box });

/** The schema of a line. Fields that later versions add are kept. */
const reviewLineSchema = z.discriminatedUnion(
  'action',
  [
    z.looseObject({ ...common, action: z.literal(['keep', 'drop']) }),
    z.looseObject({ ...common, action: z.literal('mask'), mask }),
    z.looseObject({ ...common, action: z.literal('undo'), undoes: whole(1) }),
  ],
  'expected keep, drop, mask or undo',
);

/**
 * Reads the list of a folder. A missing file is an empty list, and a last line that a kill has cut off is left out.
 * `isTidy` is false if the file must be written anew before a line is appended. Throws ERR_FILE_ACCESS with the line
 * that is invalid.
 */
export async function readReviewFile(folder: string): Promise<{ lines: ReviewLine[]; isTidy: boolean }> {
  const { lines, text } = await readJsonLines(join(folder, REVIEW_LIST), reviewLineSchema);
  const values = lines.map(({ value }) => value as ReviewLine);
  return { lines: values, isTidy: text === jsonLines(values) };
}

/** Throws ERR_FILE_ACCESS if a corrected mask is not where those of its pair belong, because it could be anywhere. */
function requireMaskPlace(folder: string, { type, index }: PairRecord, line: ReviewLine): void {
  if (line.action !== 'mask') return;
  const place = correctedPlaceOf(type, index, line.sequence);
  const [, tag] = /-([0-9a-f]{8})\.png$/.exec(line.mask.path) ?? []; // Masks that were corrected in a bucket have one.
  if ([place, correctedPlaceOf(type, index, line.sequence, tag)].includes(line.mask.path)) return;
  const [found, expected] = [JSON.stringify(line.mask.path), JSON.stringify(place)];
  throw new FileAccessError(
    `Cannot use ${join(folder, REVIEW_LIST)}: the line of sequence ${line.sequence} has the mask ${found} where ${expected} belongs. Correct the line or remove it.`,
  );
}

/** This many bytes at the end of a PNG file hold the checksums of all of its pixels. */
const HASHED_BYTES = 4096;

/** Returns the size of a file and its last bytes. A missing file has neither. */
async function endOf(path: string): Promise<Buffer> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (!file) return Buffer.from('missing');
  try {
    const { size } = await file.stat();
    const length = Math.min(size, HASHED_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return Buffer.concat([Buffer.from(`${size} `), buffer.subarray(0, bytesRead)]);
  } finally {
    await file.close();
  }
}

/**
 * Returns a digest of a pair's files, which differs for a pair that was made anew. It reads the end of each file only,
 * because thousands of pairs must not be read as a whole before the first one is shown.
 */
export async function pairDigest(folder: string, record: PairRecord): Promise<string> {
  const hash = createHash('sha256');
  for (const kind of kindsOf(record)) {
    const path = pathInside(folder, record[kind] as string);
    hash.update(`${kind} `).update(await withFileErrors('read', path, () => endOf(path)));
  }
  return hash.digest('hex').slice(0, 16);
}

/** What a review says about one pair. */
export interface PairReview {
  decision?: 'keep' | 'drop';
  /** The mask in use, with the number of its line. */
  mask?: CorrectedMask & { sequence: number };
  /** The number of the latest action that was not taken back. */
  undoable?: number;
}

/**
 * Returns what the lines about a pair come to. Lines with another digest than the pair's are about an earlier pair of
 * the same number, and do not count. Throws ERR_FILE_ACCESS with the line that is invalid.
 */
export function reviewOf(folder: string, record: PairRecord, digest: string, lines: readonly ReviewLine[]): PairReview {
  const valid: ReviewLine[] = [];
  for (const line of lines) {
    if (line.digest !== digest) continue;
    requireMaskPlace(folder, record, line);
    if (line.action !== 'undo') valid.push(line);
    else if (valid.at(-1)?.sequence === line.undoes) valid.pop();
  }
  const review: PairReview = {};
  for (const line of valid) {
    review.undoable = line.sequence;
    if (line.action === 'mask') review.mask = { ...line.mask, sequence: line.sequence };
    else if (line.action !== 'undo') review.decision = line.action;
  }
  return review;
}

/** Returns the lines about each pair, by the number of the pair. */
export function linesByPair(lines: readonly ReviewLine[]): Map<number, ReviewLine[]> {
  const found = new Map<number, ReviewLine[]>();
  for (const line of lines) {
    const own = found.get(line.index);
    if (own) own.push(line);
    else found.set(line.index, [line]);
  }
  return found;
}

/**
 * Returns what the review of a folder says about these pairs, by their numbers. Pairs that nobody has reviewed are left
 * out. Throws ERR_FILE_ACCESS with the line that is invalid.
 */
export async function reviewsOf(folder: string, records: readonly PairRecord[]): Promise<Map<number, PairReview>> {
  const lines = linesByPair((await readReviewFile(folder)).lines);
  const reviewed = records.filter(({ index }) => lines.has(index));
  const reviews = await fewAtOnce(reviewed, async (record): Promise<[number, PairReview]> => {
    const own = lines.get(record.index) as ReviewLine[];
    return [record.index, reviewOf(folder, record, await pairDigest(folder, record), own)];
  });
  return new Map(reviews);
}

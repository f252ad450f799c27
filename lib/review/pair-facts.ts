/** Measures the masks of pairs once, and keeps the results in the reviewed folder. */
import { join } from 'node:path';
import { z } from 'zod';
import { DatasetError } from '../core/errors.js';
import { writeFileAtomic } from '../core/files.js';
import type { PixelData } from '../core/image.js';
import { jsonLines, readJsonLines } from '../core/json-files.js';
import { pathInside } from '../core/path-inside.js';
import type { Box } from '../dataset/cut.js';
import { fewAtOnce } from '../dataset/few-at-once.js';
import { boundingBox } from '../dataset/fit.js';
import { readMask } from '../dataset/mask-file.js';
import type { PairRecord } from '../dataset/pair-record.js';
import { pairDigest } from '../dataset/reviews.js';
import { pictureSize } from '../dataset/thumbnail-file.js';

/** The hidden folder in a folder of pairs that holds what can be made again at any time. */
export const CACHE = '.review';
const FACTS = 'masks.jsonl';
/** Pairs are measured in chunks of this many, so that their progress can be shown and their results kept. */
const CHUNK = 64;

/** What the page has to know of a pair's files. */
export interface PairFacts {
  /** The digest of the pair's files. */
  digest: string;
  /** The size of the image in pixels. It is 0 if the image cannot be read. */
  width: number;
  height: number;
  /** The number of pixels that the generated mask marks. */
  area: number;
  /** The smallest box around them. It is null if there is none. */
  box: Box | null;
  /** Why the files cannot be used. */
  problem?: string;
}

const number = z.int().min(0);
const factsSchema = z.looseObject({
  ...{ digest: z.string(), width: number, height: number, area: number },
  box: z.looseObject({ left: number, top: number, width: number, height: number }).nullable(),
});

/** Returns the number of marked pixels of a mask of 0 and 255. */
export function areaOf({ data }: Pick<PixelData, 'data'>): number {
  let area = 0;
  for (const value of data) if (value > 0) area++;
  return area;
}

async function measure(folder: string, record: PairRecord, digest: string): Promise<PairFacts> {
  const image = pathInside(folder, record.image);
  const size = await pictureSize(image);
  const facts = { digest, width: size?.width ?? 0, height: size?.height ?? 0, area: 0, box: null };
  if (!size) return { ...facts, problem: `${image} is missing or cannot be read` };
  if (record.mask === undefined) return facts;
  try {
    const mask = await readMask(pathInside(folder, record.mask));
    if (mask.width === size.width && mask.height === size.height) {
      return { ...facts, area: areaOf(mask), box: boundingBox(mask) ?? null };
    }
    const [of, is] = [mask, size].map(({ width, height }) => `${width} x ${height}`);
    return { ...facts, problem: `${record.mask} has ${of} pixels, but its image has ${is}` };
  } catch (error) {
    if (error instanceof DatasetError) return { ...facts, problem: error.message };
    return { ...facts, problem: `The mask cannot be read: ${(error as Error).message}` };
  }
}

/**
 * Returns the facts of each pair. Only new and changed pairs are measured. `onPairs` gets the number of pairs that are
 * done, and may throw to end the work. What was measured until then is kept.
 */
export async function factsOf(
  folder: string,
  records: readonly PairRecord[],
  onPairs: (done: number) => void,
): Promise<PairFacts[]> {
  const file = join(folder, CACHE, FACTS);
  const { lines } = await readJsonLines(file, factsSchema);
  const known = new Map(lines.map(({ value }) => [value.digest, value as PairFacts]));
  const facts: PairFacts[] = [];
  try {
    for (let from = 0; from < records.length; from += CHUNK) {
      const chunk = await fewAtOnce(records.slice(from, from + CHUNK), async (record) => {
        const digest = await pairDigest(folder, record);
        return known.get(digest) ?? (await measure(folder, record, digest));
      });
      facts.push(...chunk);
      onPairs(facts.length);
    }
  } finally {
    await writeFileAtomic(file, jsonLines(facts.filter(({ problem }) => problem === undefined)));
  }
  return facts;
}

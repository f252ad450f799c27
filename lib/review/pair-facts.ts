/** Measures the masks of pairs once, and keeps the results in the reviewed folder. */
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../core/files.js';
import { jsonLines, readJsonLines } from '../core/json-files.js';
import { fewAtOnce } from '../dataset/few-at-once.js';
import { measurePair, type PairMeasures } from '../dataset/measure-pair.js';
import type { PairRecord } from '../dataset/pair-record.js';
import { pairDigest } from '../dataset/reviews.js';

/** The hidden folder in a folder of pairs that holds what can be made again at any time. */
export const CACHE = '.review';
const FACTS = 'masks.jsonl';
/** Pairs are measured in chunks of this many, so that their progress can be shown and their results kept. */
const CHUNK = 64;

/** What the page has to know of a pair's files. The measures are those of the generated mask. */
export interface PairFacts extends PairMeasures {
  /** The digest of the pair's files. */
  digest: string;
}

const number = z.int().min(0);
const factsSchema = z.looseObject({
  ...{ digest: z.string(), width: number, height: number, area: number },
  box: z.looseObject({ left: number, top: number, width: number, height: number }).nullable(),
});

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
        return known.get(digest) ?? { ...(await measurePair(folder, record)).measures, digest };
      });
      facts.push(...chunk);
      onPairs(facts.length);
    }
  } finally {
    await writeFileAtomic(file, jsonLines(facts.filter(({ problem }) => problem === undefined)));
  }
  return facts;
}

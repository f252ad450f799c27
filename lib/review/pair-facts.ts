/** Measures the masks of pairs once, and keeps the results in the reviewed folder. */
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../core/files.js';
import { jsonLines, readJsonLines } from '../core/json-files.js';
import { measurePair, type PairMeasures } from '../dataset/measure-pair.js';
import type { PairRecord } from '../dataset/pair-record.js';
import { pairDigest } from '../dataset/reviews.js';

/** The hidden folder in a folder of pairs that holds what can be made again at any time. */
export const CACHE = '.review';
const FACTS = 'masks.jsonl';

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

/** The facts of the pairs in one folder. */
export class FactsCache {
  /** The facts that the file holds, by their digests. */
  readonly #known: ReadonlyMap<string, PairFacts>;
  readonly #used: PairFacts[] = [];
  #isSaved = true;

  private constructor(
    private readonly folder: string,
    known: readonly PairFacts[],
  ) {
    this.#known = new Map(known.map((facts) => [facts.digest, facts]));
  }

  static async open(folder: string): Promise<FactsCache> {
    const { lines } = await readJsonLines(join(folder, CACHE, FACTS), factsSchema);
    return new FactsCache(
      folder,
      lines.map(({ value }) => value as PairFacts),
    );
  }

  /** Returns the facts of a pair, which is measured only if it is new or has changed. Throws ERR_FILE_ACCESS. */
  async factsOf(record: PairRecord): Promise<PairFacts> {
    const digest = await pairDigest(this.folder, record);
    const known = this.#known.get(digest);
    const facts = known ?? { ...(await measurePair(this.folder, record)).measures, digest };
    if (facts.problem === undefined) this.#used.push(facts);
    if (!known) this.#isSaved = false;
    return facts;
  }

  /** Keeps what was measured until now. Facts of pairs that have changed are left out once `isComplete` is true. */
  async save(isComplete: boolean): Promise<void> {
    const used = new Set(this.#used.map(({ digest }) => digest));
    const others = [...this.#known.values()].filter(({ digest }) => !used.has(digest));
    if (this.#isSaved && (!isComplete || others.length === 0)) return;
    await writeFileAtomic(
      join(this.folder, CACHE, FACTS),
      jsonLines(isComplete ? this.#used : [...this.#used, ...others]),
    );
    this.#isSaved = true;
  }
}

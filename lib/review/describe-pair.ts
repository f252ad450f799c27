/** Describes pairs to the page. */
import { pairAgreement } from '../dataset/agreement.js';
import { suspicionsOf } from '../dataset/pair-suspicion.js';
import { given } from '../options/check.js';
import type { ReviewPair, ReviewState } from './contract.js';
import type { RealImages } from './real-images.js';
import type { OpenPair } from './reviewed-folder.js';

/** What stays the same of a pair during a review. */
export type PairDescription = Omit<ReviewPair, keyof ReviewState>;

/** Returns what a review changes of a pair. */
export function stateOf({ facts, review }: OpenPair): ReviewState {
  const { area, box } = review.mask ?? facts;
  return {
    decision: review.decision ?? null,
    isCorrected: review.mask !== undefined,
    ...{ area, box },
    undoable: review.undoable ?? null,
    version: review.mask ? `${facts.digest}-${review.mask.sequence}` : facts.digest,
  };
}

const lowest = (values: readonly number[]) => (values.length === 0 ? undefined : Math.min(...values));

/** Describes a pair. `photographIds` has the places of photographs by their names. */
export function describePair(
  { folder, record, facts }: OpenPair,
  real: RealImages,
  photographIds: ReadonlyMap<string, number>,
): PairDescription {
  const { index, type, seed, recipe, photograph, agreement, defects = [] } = record;
  const { width, height, area, box, problem } = facts;
  return {
    ...{ index, type, folder, seed, width, height, hasMask: record.mask !== undefined },
    suspicions: suspicionsOf(record, real.sizeRange(type, facts)),
    ...given({
      ...{ problem, recipe, photograph },
      agreement: agreement && pairAgreement({ agreement }),
      contrast: lowest(defects.map(({ contrast }) => contrast)),
      changeIou: lowest(defects.map(({ fit }) => fit)),
      photographId: photograph === undefined ? undefined : photographIds.get(photograph),
      defectId: box ? real.nearest(type, { width, height, area, box }) : undefined,
    }),
  };
}

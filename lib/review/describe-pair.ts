/** Describes pairs to the page. */
import { given } from '../options/check.js';
import { describePair, describeReview } from '../report/describe-pair.js';
import type { ReviewPair, ReviewState } from './contract.js';
import type { RealImages } from './real-images.js';
import type { OpenPair } from './reviewed-folder.js';

/** What stays the same of a pair during a review. */
export type PairDescription = Omit<ReviewPair, keyof ReviewState>;

/** Returns what a review changes of a pair. */
export function stateOf({ facts, review }: OpenPair): ReviewState {
  return {
    ...describeReview(review, facts),
    undoable: review.undoable ?? null,
    version: review.mask ? `${facts.digest}-${review.mask.sequence}` : facts.digest,
  };
}

/** Returns the rest of a pair. `photographIds` has the places of photographs by their names. */
export function descriptionOf(
  { folder, record, facts }: OpenPair,
  real: RealImages,
  photographIds: ReadonlyMap<string, number>,
): PairDescription {
  const { type, photograph } = record;
  const { width, height, area, box } = facts;
  return {
    ...describePair(record, facts, real.sizeRange(type, facts)),
    folder,
    ...given({
      photographId: photograph === undefined ? undefined : photographIds.get(photograph),
      defectId: box ? real.nearest(type, { width, height, area, box }) : undefined,
    }),
  };
}

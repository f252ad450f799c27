/** Describes pairs to the page. */
import { given } from '../options/check.js';
import { describePair, describeReview } from '../report/describe-pair.js';
import type { ReviewPair, ReviewState } from './contract.js';
import type { RealImages } from './real-images.js';
import type { OpenPair } from './reviewed-folder.js';

/** What stays the same of a pair during a review. */
export type PairDescription = Omit<ReviewPair, keyof ReviewState>;

/** The measures of a pair that is not measured yet. */
const UNKNOWN = { digest: '', width: 0, height: 0, area: 0, box: null };

/** Returns what a review changes of a pair. The version is empty until the pair is measured. */
export function stateOf({ facts = UNKNOWN, review }: OpenPair): ReviewState {
  const { digest } = facts;
  return {
    ...describeReview(review, facts),
    undoable: review.undoable ?? null,
    version: digest !== '' && review.mask ? `${digest}-${review.mask.sequence}` : digest,
  };
}

/** Returns the rest of a pair. `photographIds` has the places of photographs by their names. */
export function descriptionOf(
  { folder, record, facts = UNKNOWN }: OpenPair,
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

/** Describes a pair to those who look at it. */
import type { ShownPair } from '../components/pair.js';
import { pairAgreement } from '../dataset/agreement.js';
import type { PairMeasures } from '../dataset/measure-pair.js';
import type { PairRecord } from '../dataset/pair-record.js';
import { type SizeRange, suspicionsOf } from '../dataset/pair-suspicion.js';
import type { PairReview } from '../dataset/reviews.js';
import { given } from '../options/check.js';

/** What a review changes of a pair. */
type ReviewedFields = 'decision' | 'isCorrected' | 'area' | 'box';

/** Returns what stays the same of a pair during a review. `real` is the range of the real defects' sizes. */
export function describePair(
  record: PairRecord,
  { width, height, problem }: PairMeasures,
  real: SizeRange | undefined,
): Omit<ShownPair, ReviewedFields> {
  const { index, type, seed, recipe, photograph, agreement, defects = [] } = record;
  const lowest = (values: readonly number[]) => (values.length === 0 ? undefined : Math.min(...values));
  return {
    ...{ index, type, seed, width, height, hasMask: record.mask !== undefined },
    suspicions: suspicionsOf(record, real),
    ...given({
      ...{ problem, recipe, photograph },
      agreement: agreement && pairAgreement({ agreement }),
      contrast: lowest(defects.map(({ contrast }) => contrast)),
      changeIou: lowest(defects.map(({ fit }) => fit)),
    }),
  };
}

/** Returns what a review has changed of a pair. `measures` are those of the generated mask. */
export function describeReview(
  { decision, mask }: PairReview,
  measures: Pick<PairMeasures, 'area' | 'box'>,
): Pick<ShownPair, ReviewedFields> {
  const { area, box } = mask ?? measures;
  return { decision: decision ?? null, isCorrected: mask !== undefined, area, box };
}

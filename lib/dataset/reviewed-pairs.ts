/** Applies the review of a folder of generated pairs: dropped pairs are left out, and corrected masks are used. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathInside } from '../core/path-inside.js';
import { warn } from '../core/warnings.js';
import type { Size } from './cut.js';
import type { Example } from './example-file.js';
import { PAIR_LIST, readPairList } from './pair-list.js';
import type { PairRecord } from './pair-record.js';
import { type PairReview, REVIEW_LIST, reviewsOf } from './reviews.js';

/** A pair that its review has not dropped. */
export interface ReviewedPair {
  record: PairRecord;
  /** Undefined if nobody has reviewed the pair. */
  review: PairReview | undefined;
}

/** Tells the user what becomes of reviewed pairs. */
function report(folder: string, reviews: Iterable<PairReview>): void {
  const all = [...reviews];
  const dropped = all.filter(({ decision }) => decision === 'drop').length;
  const corrected = all.filter(({ decision, mask }) => decision !== 'drop' && mask !== undefined).length;
  const effects = [
    ...(dropped > 0 ? [`dropped pairs, which are left out: ${dropped}`] : []),
    ...(corrected > 0 ? [`corrected masks: ${corrected}`] : []),
  ];
  if (effects.length > 0) warn(`Review of ${folder}: ${effects.join('; ')}.`);
}

/**
 * Returns the pairs of a folder that its review has not dropped, in their order. A warning says how many it dropped or
 * corrected. Throws ERR_FILE_ACCESS with the line of `reviews.jsonl` that is invalid.
 */
export async function reviewedPairs(folder: string, records: readonly PairRecord[]): Promise<ReviewedPair[]> {
  const reviews = await reviewsOf(folder, records);
  report(folder, reviews.values());
  return records
    .map((record) => ({ record, review: reviews.get(record.index) }))
    .filter(({ review }) => review?.decision !== 'drop');
}

/** Returns the examples of a category folder. If they are generated pairs, their review is applied. */
export async function reviewedExamples(
  folder: string,
  examples: readonly (Example & { image: string })[],
): Promise<Example[]> {
  if (!existsSync(join(folder, REVIEW_LIST))) return [...examples];
  const { records } = await readPairList(join(folder, PAIR_LIST));
  const reviews = await reviewsOf(folder, records);
  report(folder, reviews.values());
  const reviewOfImage = new Map<string, PairReview>();
  for (const { index, image } of records) {
    const review = reviews.get(index);
    if (review) reviewOfImage.set(join(folder, image).normalize('NFC'), review);
  }
  return examples.flatMap((example) => {
    const review = reviewOfImage.get(example.image.normalize('NFC'));
    if (review?.decision === 'drop') return [];
    return [review?.mask ? { ...example, mask: pathInside(folder, review.mask.path) } : example];
  });
}

/**
 * Returns the record of a pair together with its review. What the record says of a mask that somebody has corrected is
 * not true any more, so it is left out or measured again. `size` is that of the image.
 */
export function recordAfterReview(record: PairRecord, { decision, mask }: PairReview, size: Size): object {
  const review = { ...(decision && { decision }), maskCorrected: mask !== undefined };
  if (!mask) return { ...record, review };
  const { maskMethod: _, touches: __, agreement: ___, defects, ...rest } = record;
  return {
    ...rest,
    ...{ mask: mask.path, coverage: mask.area / (size.width * size.height), empty: false },
    ...(defects && { defects: defects.map(({ fit: _, ...defect }) => defect) }),
    review,
  };
}

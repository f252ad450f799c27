/**
 * Compares the masks that several methods found for one pair. A pair whose masks disagree is likely to be a bad one.
 */
import type { PixelData } from '../core/image.js';

/** Returns the intersection over union of two masks, 0 to 1. It is 1 for two empty masks. */
export function iou(a: PixelData, b: PixelData): number {
  let both = 0;
  let either = 0;
  for (let i = 0; i < a.data.length; i++) {
    const [inA, inB] = [(a.data[i] as number) > 0, (b.data[i] as number) > 0];
    if (inA && inB) both++;
    if (inA || inB) either++;
  }
  return either === 0 ? 1 : both / either;
}

/** Returns true if some pixel is set in both masks. */
export const touches = (a: PixelData, b: PixelData): boolean =>
  a.data.some((value, i) => value > 0 && (b.data[i] as number) > 0);

/** Returns the mean agreement of a pair's methods, 0 to 1. It is 1 for a pair that has fewer than two. */
export function pairAgreement({ agreement = {} }: { agreement?: Record<string, number> | undefined }): number {
  const values = Object.values(agreement);
  return values.length === 0 ? 1 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Returns the mean agreement of each two methods over the pairs that have several masks. */
export function meanAgreement(records: readonly { agreement?: Record<string, number> }[]): Record<string, number> {
  const agreements = records.flatMap(({ agreement }) => (agreement ? [agreement] : []));
  const means = Object.keys(agreements[0] ?? {}).map((methods) => [
    methods,
    agreements.reduce((sum, one) => sum + (one[methods] as number), 0) / agreements.length,
  ]);
  return Object.fromEntries(means);
}

/** Returns the IoU of every two masks by the names of their methods, as in `{ 'u2net/threshold': 0.8 }`. */
export function agreementOf(masks: readonly { method: string; mask: PixelData }[]): Record<string, number> {
  const agreement: Record<string, number> = {};
  for (const [i, first] of masks.entries()) {
    for (const second of masks.slice(i + 1))
      agreement[`${first.method}/${second.method}`] = iou(first.mask, second.mask);
  }
  return agreement;
}

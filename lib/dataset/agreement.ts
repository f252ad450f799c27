/** How far masks of one pair, found in different ways, agree: a pair whose masks disagree is a bad pair. */
import type { PixelData } from '../core/image.js';

/** Intersection over union of the set pixels, 0 to 1; two empty masks agree. */
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

/** Whether the masks share a pixel. */
export const touches = (a: PixelData, b: PixelData): boolean =>
  a.data.some((value, i) => value > 0 && (b.data[i] as number) > 0);

/** The means over pairs whose masks were made in several ways. */
export function meanAgreement(records: readonly { agreement?: Record<string, number> }[]): Record<string, number> {
  const judged = records.flatMap(({ agreement }) => (agreement ? [agreement] : []));
  const means = Object.keys(judged[0] ?? {}).map((methods) => [
    methods,
    judged.reduce((sum, one) => sum + (one[methods] as number), 0) / judged.length,
  ]);
  return Object.fromEntries(means);
}

/** The IoU of every two masks, by the names of their methods: `{ 'u2net/threshold': 0.8 }`. */
export function agreementOf(masks: readonly { method: string; mask: PixelData }[]): Record<string, number> {
  const agreement: Record<string, number> = {};
  for (const [i, first] of masks.entries()) {
    for (const second of masks.slice(i + 1))
      agreement[`${first.method}/${second.method}`] = iou(first.mask, second.mask);
  }
  return agreement;
}

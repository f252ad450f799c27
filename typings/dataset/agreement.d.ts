/** How far masks of one pair, found in different ways, agree: a pair whose masks disagree is a bad pair. */
import type { Mask } from '../masker.js';
/** Intersection over union of the set pixels, 0 to 1; two empty masks agree. */
export declare function iou(a: Mask, b: Mask): number;
/** Whether the masks share a pixel. */
export declare const touches: (a: Mask, b: Mask) => boolean;
/** The means over pairs whose masks were made in several ways. */
export declare function meanAgreement(records: readonly {
    agreement?: Record<string, number>;
}[]): Record<string, number>;
/** The IoU of every two masks, by the names of their methods: `{ 'u2net/threshold': 0.8 }`. */
export declare function agreementOf(masks: readonly {
    method: string;
    mask: Mask;
}[]): Record<string, number>;

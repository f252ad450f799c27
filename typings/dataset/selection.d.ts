import type { PairRecord } from './pair-record.js';
/** The best share of the pairs, or those whose masks agree at least so far; both 0 to 1. */
export type KeepRule = {
    share: number;
} | {
    agreement: number;
};
/** Why a pair was dropped. */
export type DropReason = 'empty' | 'touches nothing' | 'disagrees';
/** `80%`, or an IoU such as `0.5`. Throws ERR_INVALID_OPTION. */
export declare function parseKeepRule(text: string): KeepRule;
/**
 * The pairs that the rule drops, by index, with the reason. A pair whose mask is empty, or touches nothing of the part,
 * is dropped whatever the rule; of the others, those whose masks disagree most.
 */
export declare function selectPairs(records: readonly PairRecord[], rule: KeepRule): Map<number, DropReason>;

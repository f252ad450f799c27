/** Selects the generated pairs that are good enough to train on. */
import { InvalidOptionError } from '../core/errors.js';
import { pairAgreement } from './agreement.js';
import type { DropReason, PairRecord } from './pair-record.js';

/** Keeps the best share of the pairs, or the pairs whose masks agree at least this much. Both are 0 to 1. */
export type KeepRule = { share: number } | { agreement: number };

/** Parses a share such as `80%` or an IoU such as `0.5`. Throws ERR_INVALID_OPTION for anything else. */
export function parseKeepRule(text: string): KeepRule {
  const share = /^(\d+(?:\.\d+)?)%$/.exec(text);
  const value = share ? Number(share[1]) / 100 : Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) {
    throw new InvalidOptionError(`Expected a share such as 80%, or an IoU 0..1, for keepBest but received ${text}`);
  }
  return share ? { share: value } : { agreement: value };
}

/**
 * Returns the indices of the pairs that the rule drops, with the reason. Pairs whose mask is empty or touches nothing
 * of the part are always dropped. Of the others, those whose masks disagree most are dropped.
 */
export function selectPairs(records: readonly PairRecord[], rule: KeepRule): Map<number, DropReason> {
  const dropped = new Map<number, DropReason>();
  for (const record of records) {
    if (record.empty) dropped.set(record.index, 'empty');
    else if (record.touches === false) dropped.set(record.index, 'touches nothing');
  }
  const rest = records.filter(({ index }) => !dropped.has(index));
  const ranked = [...rest].sort((a, b) => pairAgreement(b) - pairAgreement(a) || a.index - b.index);
  const kept =
    'share' in rule
      ? ranked.slice(0, Math.ceil(rule.share * records.length))
      : ranked.filter((record) => pairAgreement(record) >= rule.agreement);
  const isKept = new Set(kept);
  for (const record of ranked) if (!isKept.has(record)) dropped.set(record.index, 'disagrees');
  return dropped;
}

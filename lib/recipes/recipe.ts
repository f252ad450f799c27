import type { GeneratedPair } from '../dataset/generated-pair.js';
import type { PairSource } from '../dataset/pair-list.js';
import { given } from '../options/check.js';
import type { OptionSet } from '../options/option.js';

/** Which of the pairs of a seed to make. */
export interface PairRequest {
  count: number;
  /** Indices of pairs that are there already. */
  skip: ReadonlySet<number>;
  signal?: AbortSignal | undefined;
}

/** One defect type's pairs by one recipe, ready to be made. */
export interface OpenRecipe<P extends GeneratedPair = GeneratedPair> extends AsyncDisposable {
  /** What all pairs have in common: pairs of another source do not belong in the same folder. */
  readonly source: PairSource;
  pairs(request: PairRequest): AsyncGenerator<P, void, undefined>;
}

/** Those of the values that belong to a set and that are given. */
export function pickGiven<T extends object>(values: T, set: OptionSet): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given(values)).filter(([name]) => Object.hasOwn(set, name))) as never;
}

import type { GeneratedPair } from '../dataset/generated-pair.js';
import type { PairSource } from '../dataset/pair-list.js';
import { given } from '../options/check.js';
import type { OptionSet } from '../options/option.js';

/** Selects the pairs of a seed. */
export interface PairRequest {
  count: number;
  /** These indices belong to pairs that exist already. */
  skip: ReadonlySet<number>;
  signal?: AbortSignal | undefined;
}

/** Holds a recipe that has loaded everything it needs to make the pairs of one defect type. */
export interface OpenRecipe<P extends GeneratedPair = GeneratedPair> extends AsyncDisposable {
  /** All pairs share this source. Pairs of another source do not belong in the same folder. */
  readonly source: PairSource;
  pairs(request: PairRequest): AsyncGenerator<P, void, undefined>;
}

/** Returns the values that are given and belong to the set. */
export function pickGiven<T extends object>(values: T, set: OptionSet): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given(values)).filter(([name]) => Object.hasOwn(set, name))) as never;
}

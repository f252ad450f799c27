/** Chooses which pairs are shown, and in which order. */
import { fromLeft, fromTop, MEASURES, type MeasureName, placeOf } from './measures.js';
import type { Decision, ShownPair, Suspicion } from './pair.js';
import { SUSPICIONS } from './words.js';

/** Bounds of a measure as the page shows it. A bound that is not given is undefined. */
export interface Range {
  from?: number;
  to?: number;
}

export type SortName = 'index' | 'type' | 'suspicion' | 'decision' | 'fromLeft' | 'fromTop' | MeasureName;

/** What the reviewer wants to see. An empty text lets all pairs through. */
export interface Filters {
  type: string;
  decision: '' | Decision | 'none';
  suspicion: '' | Suspicion | 'any' | 'problem' | 'corrected';
  place: string;
  ranges: Partial<Record<MeasureName, Range>>;
  sort: SortName;
  isDescending: boolean;
}

export const NO_FILTERS: Filters = {
  ...{ type: '', decision: '', suspicion: '', place: '', ranges: {} },
  ...{ sort: 'index', isDescending: false },
};

export const SORT_NAMES: Record<SortName, string> = {
  index: 'Number',
  type: 'Type',
  suspicion: 'Suspicion',
  decision: 'Decision',
  size: 'Size',
  fromLeft: 'Place, from the left',
  fromTop: 'Place, from the top',
  agreement: 'Agreement',
  contrast: 'Contrast',
  changeIou: 'IoU of change',
};

/** The most serious suspicion comes first. */
const SERIOUSNESS = Object.keys(SUSPICIONS) as Suspicion[];

const rankOf = ({ suspicions, problem }: ShownPair) =>
  problem === undefined
    ? Math.min(SERIOUSNESS.length, ...suspicions.map((suspicion) => SERIOUSNESS.indexOf(suspicion)))
    : -1;

function hasSuspicion(pair: ShownPair, wanted: Filters['suspicion']): boolean {
  if (wanted === '') return true;
  if (wanted === 'problem') return pair.problem !== undefined;
  if (wanted === 'corrected') return pair.isCorrected;
  return wanted === 'any' ? pair.suspicions.length > 0 : pair.suspicions.includes(wanted);
}

/** Pairs without the measure are outside of each range. */
function isInRange(pair: ShownPair, name: MeasureName, { from, to }: Range): boolean {
  if (from === undefined && to === undefined) return true;
  const value = MEASURES[name].valueOf(pair);
  if (value === undefined) return false;
  const shown = MEASURES[name].scale * value;
  return shown >= (from ?? Number.NEGATIVE_INFINITY) && shown <= (to ?? Number.POSITIVE_INFINITY);
}

type Key = string | number | undefined;

const compare = (a: Key, b: Key) =>
  typeof a === 'string' && typeof b === 'string' ? a.localeCompare(b) : (a as number) - (b as number);

/**
 * Returns the ids of the pairs that the filters let through, in their order. Pairs without the value that the others are
 * sorted by come last. `decisionOf` returns the decision that the page shows.
 */
export function shownPairs<Pair extends ShownPair>(
  pairs: readonly Pair[],
  filters: Filters,
  decisionOf: (pair: Pair, id: number) => Decision | null,
): number[] {
  const ranges = Object.entries(filters.ranges) as [MeasureName, Range][];
  const isShown = (pair: Pair, id: number) =>
    (filters.type === '' || pair.type === filters.type) &&
    (filters.decision === '' || (decisionOf(pair, id) ?? 'none') === filters.decision) &&
    (filters.place === '' || placeOf(pair) === filters.place) &&
    hasSuspicion(pair, filters.suspicion) &&
    ranges.every(([name, range]) => isInRange(pair, name, range));
  const keyOf = (pair: Pair, id: number): Key => {
    const { sort } = filters;
    if (sort === 'index') return id;
    if (sort === 'type') return pair.type;
    if (sort === 'suspicion') return rankOf(pair);
    if (sort === 'decision') return { none: 0, drop: 1, keep: 2 }[decisionOf(pair, id) ?? 'none'];
    if (sort === 'fromLeft') return fromLeft(pair);
    if (sort === 'fromTop') return fromTop(pair);
    return MEASURES[sort].valueOf(pair);
  };
  const sign = filters.isDescending ? -1 : 1;
  return pairs
    .flatMap((pair, id) => (isShown(pair, id) ? [{ id, key: keyOf(pair, id) }] : []))
    .sort((a, b) => {
      if (a.key === undefined || b.key === undefined)
        return Number(a.key === undefined) - Number(b.key === undefined) || a.id - b.id;
      return sign * compare(a.key, b.key) || a.id - b.id;
    })
    .map(({ id }) => id);
}

/** Returns the measures that some pair has. */
export const measuresOf = (pairs: readonly ShownPair[]): MeasureName[] =>
  (Object.keys(MEASURES) as MeasureName[]).filter((name) =>
    pairs.some((pair) => MEASURES[name].valueOf(pair) !== undefined),
  );

/** Returns the types of pairs in alphabetical order. */
export const typesOf = (pairs: readonly ShownPair[]): string[] => [...new Set(pairs.map(({ type }) => type))].sort();

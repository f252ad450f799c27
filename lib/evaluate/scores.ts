import type { NativeIntervals, NativeMapScorer } from '../addon-types.js';
import { type NativeTaskOptions, runNative } from '../run-native.js';
import { GOOD } from './split.js';

/** The measures and their names in the table, in its order. */
export const MEASURES = {
  pixelAuroc: 'pixel AUROC',
  pixelAp: 'pixel AP',
  pixelF1Max: 'pixel F1-max',
  pixelAuPro: 'AU-PRO 30 %',
  pixelAuPro5: 'AU-PRO 5 %',
  imageAuroc: 'image AUROC',
  imageAp: 'image AP',
  imageF1Max: 'image F1-max',
  accuracy: 'accuracy of types',
} as const;
export type Measure = keyof typeof MEASURES;
/** 0 to 1. A score is null if there was nothing to measure. */
export type Scores = Record<Measure, number | null>;
/** The measures of a detector's maps. */
export type DetectorScores = Omit<Scores, 'accuracy'>;

/** An interval of a score, 0 to 1. It is null if the score has none, or if the images show fewer than two parts. */
export type Interval = [low: number, high: number] | null;
export type Intervals = Record<keyof DetectorScores, Interval>;

/** Values for each type with the good images, for the mean over the types, and for all images together. */
export interface ByType<T> {
  types: Record<string, T>;
  average: T;
  together: T;
}

/** The scores of a run. */
export interface RunScores<T = Scores> extends ByType<T> {
  /**
   * The 95 % intervals of a detector's scores by the bootstrap over test images. They are missing in results of an
   * earlier version.
   */
  intervals?: ByType<Intervals>;
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Returns the mean of each score, without the values that are null. It is null if all of them are. */
export function meanScores<T extends Partial<Scores>>(all: readonly T[]): T {
  const names = Object.keys(all[0] ?? {}) as Measure[];
  const entries = names.map((name) => {
    const values = all.map((scores) => scores[name] ?? null).filter((value) => value !== null);
    return [name, values.length === 0 ? null : mean(values)];
  });
  return Object.fromEntries(entries) as T;
}

/** The draws of the bootstrap. The same seed for all runs makes them draw the same images. */
const BOOTSTRAP = { replicates: 1000, seed: 0, level: 0.95 };

const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);

function intervalsOf(native: NativeIntervals): Intervals {
  const entries = Object.entries(native).map(([name, [low, high]]) => [name, Number.isNaN(low) ? null : [low, high]]);
  return Object.fromEntries(entries) as Intervals;
}

/** Measures the maps that a scorer has collected: those of each type, and those of good images as the set `good`. */
export async function scoreRun(
  scorer: NativeMapScorer,
  types: readonly string[],
  options: NativeTaskOptions,
): Promise<RunScores<DetectorScores>> {
  const score = async (sets: readonly string[]): Promise<DetectorScores> => {
    const scores = await runNative(options, (_, task) => scorer.score(sets, task));
    const entries = Object.entries(scores).map(([name, value]) => [name, orNull(value)]);
    return Object.fromEntries(entries) as DetectorScores;
  };
  const byType: Record<string, DetectorScores> = {};
  for (const type of types) byType[type] = await score([type, GOOD]);
  const drawn = await runNative(options, (_, task) => scorer.bootstrap(types, GOOD, BOOTSTRAP, task));
  return {
    types: byType,
    average: meanScores(Object.values(byType)),
    together: await score([...types, GOOD]),
    intervals: {
      types: Object.fromEntries(types.map((type, index) => [type, intervalsOf(drawn.types[index] as NativeIntervals)])),
      average: intervalsOf(drawn.average),
      together: intervalsOf(drawn.together),
    },
  };
}

import type { NativeDetectionScores, NativeMapScorer } from '../addon-types.js';
import { type NativeTaskOptions, runNative } from '../run-native.js';
import { GOOD } from './split.js';

/** The measures and their names in the table, in its order. */
export const MEASURES = {
  pixelAuroc: 'pixel AUROC',
  pixelAp: 'pixel AP',
  pixelF1Max: 'pixel F1-max',
  pixelAuPro: 'AU-PRO',
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

/** The scores of a run: each type with the good images, the mean over the types, and all images together. */
export interface RunScores<T = Scores> {
  types: Record<string, T>;
  average: T;
  together: T;
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

/** Measures the maps that a scorer has collected: those of each type, and those of good images as the set `good`. */
export async function scoreRun(
  scorer: NativeMapScorer,
  types: readonly string[],
  options: NativeTaskOptions,
): Promise<RunScores<DetectorScores>> {
  const score = async (sets: readonly string[]): Promise<DetectorScores> => {
    const scores: NativeDetectionScores = await runNative(options, (_, task) => scorer.score(sets, task));
    const entries = Object.entries(scores).map(([name, value]) => [name, Number.isNaN(value) ? null : value]);
    return Object.fromEntries(entries) as DetectorScores;
  };
  const byType: Record<string, DetectorScores> = {};
  for (const type of types) byType[type] = await score([type, GOOD]);
  return { types: byType, average: meanScores(Object.values(byType)), together: await score([...types, GOOD]) };
}

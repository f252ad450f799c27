import type { NativeDetectionScores } from '../addon-types.js';
import { type NativeTaskOptions, runNative } from '../run-native.js';
import type { NamedSquare } from './squares.js';

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

/** Tested images with the detector's maps of them. */
export interface Tested {
  squares: readonly NamedSquare[];
  maps: Float32Array;
}

async function score(sets: readonly Tested[], size: number, options: NativeTaskOptions): Promise<DetectorScores> {
  const area = size * size;
  const count = sets.reduce((sum, { squares }) => sum + squares.length, 0);
  const data = new Float32Array(count * area);
  const masks = new Uint8Array(count * area);
  let at = 0;
  for (const { squares, maps } of sets) {
    data.set(maps, at * area);
    for (const { mask } of squares) masks.set(mask, at++ * area);
  }
  const shape = { count, width: size, height: size };
  const scores: NativeDetectionScores = await runNative(options, (engine, task) =>
    engine.scoreMaps({ data, shape: [count, size, size] }, masks, shape, task),
  );
  const entries = Object.entries(scores).map(([name, value]) => [name, Number.isNaN(value) ? null : value]);
  return Object.fromEntries(entries) as DetectorScores;
}

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

export async function scoreRun(
  good: Tested,
  defects: ReadonlyMap<string, Tested>,
  size: number,
  options: NativeTaskOptions,
): Promise<RunScores<DetectorScores>> {
  const types: Record<string, DetectorScores> = {};
  for (const [type, tested] of defects) types[type] = await score([tested, good], size, options);
  return {
    types,
    average: meanScores(Object.values(types)),
    together: await score([...defects.values(), good], size, options),
  };
}

/** Returns the pixel average precision of one image. */
export async function imageScore(
  tested: Tested,
  index: number,
  size: number,
  options: NativeTaskOptions,
): Promise<number> {
  const area = size * size;
  const one = {
    squares: tested.squares.slice(index, index + 1),
    maps: tested.maps.slice(index * area, (index + 1) * area),
  };
  return (await score([one], size, options)).pixelAp ?? 0;
}

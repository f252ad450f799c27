import type { NativeDetectionScores } from '../addon-types.js';
import { type NativeTaskOptions, runNative } from '../run-native.js';
import type { NamedSquare } from './squares.js';

/** The measures, in the table's order, with what they are called there. */
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
/** 0 to 1; null where there was nothing to measure. */
export type Scores = Record<Measure, number | null>;
/** What a detector's maps are measured by. */
export type DetectorScores = Omit<Scores, 'accuracy'>;

/** Tested images with their maps. */
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

/** One run's scores: each type's images with the good ones, the mean of the types, and all images together. */
export interface RunScores<T = Scores> {
  types: Record<string, T>;
  average: T;
  together: T;
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean of what there is; null where there is nothing. */
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

/** Pixel average precision of one image; how well its defect was found. */
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

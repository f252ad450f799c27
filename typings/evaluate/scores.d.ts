import { type NativeTaskOptions } from '../run-native.js';
import type { NamedSquare } from './squares.js';
/** The measures, in the table's order, with what they are called there. */
export declare const MEASURES: {
    readonly pixelAuroc: 'pixel AUROC';
    readonly pixelAp: 'pixel AP';
    readonly pixelF1Max: 'pixel F1-max';
    readonly pixelAuPro: 'AU-PRO';
    readonly imageAuroc: 'image AUROC';
    readonly imageAp: 'image AP';
    readonly imageF1Max: 'image F1-max';
    readonly accuracy: 'accuracy of types';
};
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
/** One run's scores: each type's images with the good ones, the mean of the types, and all images together. */
export interface RunScores<T = Scores> {
    types: Record<string, T>;
    average: T;
    together: T;
}
export declare const mean: (values: readonly number[]) => number;
/** The mean of what there is; null where there is nothing. */
export declare function meanScores<T extends Partial<Scores>>(all: readonly T[]): T;
export declare function scoreRun(good: Tested, defects: ReadonlyMap<string, Tested>, size: number, options: NativeTaskOptions): Promise<RunScores<DetectorScores>>;
/** Pixel average precision of one image; how well its defect was found. */
export declare function imageScore(tested: Tested, index: number, size: number, options: NativeTaskOptions): Promise<number>;

import { z } from 'zod';
import type { Dataset } from '../dataset/dataset.js';
import { evaluatorSchema } from '../options/schemas.js';
import type { TaskOptions } from '../run-native.js';
import { type Protocol } from './protocol.js';
import { type Quality } from './quality.js';
import { type Row } from './rows.js';
import type { RunScores } from './scores.js';
import { type Split } from './split.js';
import { type TestedGood, type TestedImage } from './tested-images.js';
/**
 * Options of {@link Evaluator.open}.
 * @interface
 */
export type EvaluatorOptions = z.input<typeof evaluatorSchema>;
/** Where an evaluation is. */
export interface EvaluationProgress {
    row: string;
    seed: number;
    network: 'detector' | 'classifier';
    /** Of the training of this network. */
    step: number;
    /** Undefined for what an earlier process did. */
    loss: number | undefined;
    /** Training steps done and to do, of all rows, seeds and networks; those that an earlier process did count as done. */
    done: number;
    total: number;
}
export type EvaluateOptions = TaskOptions & {
    onProgress?: (progress: EvaluationProgress) => void;
};
/** One row with one seed. */
export interface EvaluationRun extends RunScores {
    row: string;
    seed: number;
    /** Images of defects that it learned from, and those left out because their masks are empty. */
    defects: number;
    emptyMasks: number;
    seconds: number;
    /** Of defects. */
    images: TestedImage[];
    /** Tested good images; none in a run that an earlier version kept. */
    good: TestedGood[];
}
/** All runs, with what they were made of. */
export interface Evaluation {
    category: string;
    types: readonly string[];
    rows: readonly string[];
    protocol: Protocol & {
        name: string;
    };
    /** Images that test: of each type, and good ones. */
    tested: Record<string, number>;
    /** Images left out of the test because they have the pixels of one that trains. */
    leftOut: number;
    /** Real images that train: of each type, and good ones. */
    training: Record<string, number>;
    runs: EvaluationRun[];
    /** Of generated sets, where weights were given. */
    quality: Quality[];
}
/**
 * Judges pairs by the detectors that learn from them: trains the published evaluation's segmentation network on good
 * images and defects, one network for all types of a category, and tests it on real images that nothing was trained on.
 *
 * @example
 * const evaluator = await Evaluator.open(await Dataset.open('bottle'), { generated: { ours: 'out/bottle' } });
 * const evaluation = await evaluator.evaluate('out/evaluation');
 */
export declare class Evaluator {
    #private;
    readonly protocol: Protocol & {
        name: string;
    };
    readonly rows: readonly Row[];
    /** The real images that train, and those that test. */
    readonly split: Split;
    private constructor();
    /**
     * Finds what trains and what tests: the first third of each type and the rest of `dataset`, or all of it and all of
     * `testData`. Throws ERR_DATASET_INVALID where something is missing.
     */
    static open(dataset: Dataset, options?: EvaluatorOptions): Promise<Evaluator>;
    /** Training steps of all rows, seeds and networks. */
    get steps(): number;
    /**
     * Trains and tests every row with every seed. Each network's result is kept below `out` and not made again; one that
     * was cut off goes on from its checkpoint. Deterministic for a seed on one machine, with one number of jobs.
     *
     * A run that fails does not stop the others: once all have ended, its error is thrown, with how many failed. Throws
     * ERR_BUSY where another evaluation writes to `out`.
     */
    evaluate(out: string, { signal, onProgress }?: EvaluateOptions): Promise<Evaluation>;
}

import { Dataset, type Example } from '../dataset/dataset.js';
export declare const GOOD = "good";
/** Real images, by type where they show defects. */
export interface Split {
    training: ReadonlyMap<string, Example[]>;
    testing: ReadonlyMap<string, Example[]>;
    trainingGood: readonly string[];
    testingGood: readonly string[];
    /** How many of a type's images train, as `trainImages` says it. */
    share: number | string;
    /** Images that would test, but have the pixels of one that trains. */
    leftOut: number;
}
/**
 * What trains and what tests: the first third of each type, or what `trainImages` says, and the rest of `dataset`, or all of it and all of
 * `testData`, but for images that train (by their pixels). Throws ERR_DATASET_INVALID where something is missing.
 */
export declare function splitOf(dataset: Dataset, { testData, trainImages }: {
    testData?: string | undefined;
    trainImages?: number | string | undefined;
}): Promise<Split>;

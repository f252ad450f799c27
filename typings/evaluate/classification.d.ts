import { type LearnerInput, type TrainLearnerOptions } from './learner.js';
/** Shares of the tested defects whose type was told, 0 to 1. */
export interface Accuracy {
    types: Record<string, number>;
    /** The mean of the types. */
    average: number;
    /** Of all images. */
    together: number;
}
export interface ClassificationInput extends LearnerInput {
    /** A file of torchvision's ResNet-18 to start from. */
    weights: string | undefined;
}
/** The shares of right ones among `probabilities`, those of each image one after the other, types in the order of `counts`. */
export declare function accuracyOf(probabilities: Float32Array, counts: ReadonlyMap<string, number>): Accuracy;
/** Trains a classifier of the types on a row's defects, and tests it. */
export declare function classify({ row, protocol, defects, data, seed, device, weights }: ClassificationInput, training: Omit<TrainLearnerOptions, 'iterations'>): Promise<Accuracy>;

import type { NativeLearner, NativeLearnerOptions } from '../addon-types.js';
import { type NativeTaskOptions } from '../run-native.js';
import type { EvaluationData } from './evaluation-data.js';
import type { LearnerProtocol, Protocol } from './protocol.js';
import type { RowDefects } from './row-pools.js';
import type { Row } from './rows.js';
import type { NamedSquare } from './squares.js';
export interface TrainLearnerOptions extends NativeTaskOptions {
    torchThread: number;
    iterations: number;
    /** Where its checkpoint is kept, and read from where there is one. */
    checkpoint: string;
    checkpointEvery: number;
    /** Tells this network's checkpoint from others'. */
    digest: string;
    onStep: (step: number, loss: number) => void;
}
/** What a network learns from, and what it is tested on. */
export interface LearnerInput {
    row: Row;
    protocol: Protocol;
    defects: RowDefects;
    data: EvaluationData;
    seed: number;
    device: string;
}
/** What the engine wants to know of a network that learns from a row. */
export declare function learnerOptions(row: Row, { flips }: Protocol, { channels, batchSize, iterations, learningRate }: LearnerProtocol, { seed, device }: {
    seed: number;
    device: string;
}): NativeLearnerOptions;
/** Trains a network to its end, from its checkpoint where there is one. Aborted, it leaves a checkpoint. */
export declare function trainLearner(learner: NativeLearner, options: TrainLearnerOptions): Promise<void>;
/** The checkpoint of a network whose result is written. */
export declare const removeCheckpoint: (checkpoint: string) => Promise<void>;
/** The network's probabilities for each square, one after the other. */
export declare function predict(learner: NativeLearner, squares: readonly NamedSquare[], size: number, options: NativeTaskOptions): Promise<Float32Array>;

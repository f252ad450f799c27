import type { EvaluationData, RowDefects } from './evaluation-data.js';
import { type TrainLearnerOptions } from './learner.js';
import type { Protocol } from './protocol.js';
import type { Row } from './rows.js';
import { type DetectorScores, type RunScores, type Tested } from './scores.js';
export interface DetectionInput {
    row: Row;
    protocol: Protocol;
    defects: RowDefects;
    data: EvaluationData;
    seed: number;
    device: string;
}
/** What a detector makes of the tested images. */
export interface Detection {
    scores: RunScores<DetectorScores>;
    tested: Map<string, Tested>;
}
/** Trains a detector on good images and a row's defects, and tests it. */
export declare function detect({ row, protocol, defects, data, seed, device }: DetectionInput, training: Omit<TrainLearnerOptions, 'iterations'>): Promise<Detection>;

import { type LearnerInput, type TrainLearnerOptions } from './learner.js';
import { type DetectorScores, type RunScores, type Tested } from './scores.js';
/** What a detector makes of the tested images. */
export interface Detection {
    scores: RunScores<DetectorScores>;
    /** Images of defects, by type. */
    tested: Map<string, Tested>;
    good: Tested;
}
/** Trains a detector on good images and a row's defects, and tests it. */
export declare function detect({ row, protocol, defects, data, seed, device }: LearnerInput, training: Omit<TrainLearnerOptions, 'iterations'>): Promise<Detection>;

import type { NativeDetector } from '../addon-types.js';
import { type TaskOptions } from '../run-native.js';
import type { Pool } from './pool.js';
import type { Protocol } from './protocol.js';
import type { Row } from './rows.js';
import type { Square } from './squares.js';
/** What one detector learns from. */
export interface DetectorData {
    good: Pool;
    defects: Pool;
    textures?: Pool | undefined;
}
export interface TrainDetectorOptions extends TaskOptions {
    seed: number;
    device: string;
    /** Where its checkpoint is kept, and read from where there is one. */
    checkpoint: string;
    checkpointEvery: number;
    /** Tells this detector's checkpoint from others'. */
    digest: string;
    onStep: (step: number, loss: number) => void;
}
/** Trains a detector to its end, from its checkpoint where there is one. The caller disposes of it. */
export declare function trainDetector(row: Row, protocol: Protocol, { good, defects, textures }: DetectorData, options: TrainDetectorOptions): Promise<NativeDetector>;
/** The checkpoint of a detector whose result is written. */
export declare const removeCheckpoint: (checkpoint: string) => Promise<void>;
/** A probability for each pixel of the squares, image after image. */
export declare function predictMaps(detector: NativeDetector, squares: readonly Square[], size: number, options: TaskOptions): Promise<Float32Array>;

import type { Example } from '../dataset/dataset.js';
import { type TaskOptions } from '../run-native.js';
import type { Row } from './rows.js';
/** What the generated pictures of one type are like, beside the real ones. */
export interface Quality {
    row: string;
    type: string;
    /** Generated pictures looked at. */
    images: number;
    /** How clear and how varied Inception v3 finds them, from 1; undefined without its weights. */
    inceptionScore: number | undefined;
    /** How far generated pictures near the same real one are from each other (LPIPS), from 0; undefined without weights. */
    icLpips: number | undefined;
}
/** Weights that the user supplies, as published. */
export interface QualityWeights {
    inception: string | undefined;
    lpips: {
        backbone: string;
        linear: string;
    } | undefined;
}
/** Measures the types of a row's generated sets at the protocol's resolution. */
export declare function measureQuality({ name, generated }: Row, real: ReadonlyMap<string, readonly Example[]>, { inception, lpips }: QualityWeights, { resolution, device, ...options }: TaskOptions & {
    resolution: number;
    device: string;
}): Promise<Quality[]>;

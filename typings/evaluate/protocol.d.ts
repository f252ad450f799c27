import type { protocols } from '../options/schemas.js';
/** What decides a detector's training, beside its data. */
export interface Protocol {
    /** Pixels along each side; images are stretched to the square, as published. */
    resolution: number;
    /** Base width of the segmentation network. */
    channels: number;
    batchSize: number;
    iterations: number;
    learningRate: number;
    /** Whether good and generated images are flipped at random; the defects of baselines always are. */
    flips: boolean;
}
/**
 * `paper` is the published evaluation's (AnomalyDiffusion, AAAI 2024, arXiv 2312.05767, which DualAnoDiff's tables follow):
 * 200 rounds of 500 images, half of them good. It reports the best round by the test images; here it is the last.
 */
export declare const PROTOCOLS: Record<(typeof protocols)[number], Protocol>;

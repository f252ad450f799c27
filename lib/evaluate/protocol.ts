import type { protocols } from '../options/names.js';

/** What decides a network's training, beside its data. */
export interface LearnerProtocol {
  /** Base width of the network. */
  channels: number;
  batchSize: number;
  iterations: number;
  /** Of Adam; a fifth of it after 80 % of the iterations, a fifth of that after 90 %. */
  learningRate: number;
}

/** What decides an evaluation, beside its data: the detector's training, and the classifier's. */
export interface Protocol extends LearnerProtocol {
  /** Pixels along each side; images are stretched to the square, as published. */
  resolution: number;
  /** Whether good and generated images are flipped at random; the defects of baselines always are. */
  flips: boolean;
  classifier: LearnerProtocol;
}

/**
 * `paper` is the published evaluation's (AnomalyDiffusion, AAAI 2024, arXiv 2312.05767, which DualAnoDiff's tables follow):
 * 200 rounds of 500 images, half of them good. It reports the best round by the test images; here it is the last. Its
 * classifier sees every generated image 30 times in batches of 8; here all rows train as long, so that they can be compared.
 *
 * `small` is an eighth as wide and trains a third as long, at five times the rate: at the published one its detectors are
 * not done. Its classifiers have 300 pairs of five types for about 30 times, too (docs/evaluation.md has figures for both).
 */
export const PROTOCOLS: Record<(typeof protocols)[number], Protocol> = {
  paper: {
    ...{ resolution: 256, channels: 64, batchSize: 16, iterations: 6400, learningRate: 1e-4, flips: false },
    classifier: { channels: 64, batchSize: 8, iterations: 6400, learningRate: 1e-4 },
  },
  small: {
    ...{ resolution: 128, channels: 8, batchSize: 16, iterations: 2000, learningRate: 5e-4, flips: true },
    classifier: { channels: 16, batchSize: 16, iterations: 3000, learningRate: 1e-3 },
  },
};

import type { z } from 'zod';
import { InvalidOptionError } from '../core/errors.js';
import type { evaluatorSchema } from '../options/evaluation.js';
import type { protocols } from '../options/names.js';

/** The settings of a network's training. */
export interface LearnerProtocol {
  /** The base width of the network, in channels. */
  channels: number;
  batchSize: number;
  iterations: number;
  /** The learning rate of Adam. It is divided by 5 after 80 % of the iterations, and again after 90 %. */
  learningRate: number;
}

/** The settings of an evaluation: the training of the detector and of the classifier. */
export interface Protocol extends LearnerProtocol {
  /** Pixels along each side of the squares that networks see. */
  resolution: number;
  /**
   * If true, the squares are tiles of photographs at their own scale. Otherwise images are stretched to a square, as in
   * the published evaluation.
   */
  tiles: boolean;
  /** If true, good and generated images are flipped at random. The defects of baselines always are. */
  flips: boolean;
  classifier: LearnerProtocol;
}

/**
 * `paper` is the protocol of the published evaluation (AnomalyDiffusion, AAAI 2024, arXiv 2312.05767), which
 * DualAnoDiff's tables follow. It trains 200 rounds of 500 images, half of them good. The published evaluation reports
 * the round that is best on the test images, but this package reports the last one. The published classifier sees every
 * generated image 30 times in batches of 8. Here, all rows train for the same number of iterations, so that they can be
 * compared.
 *
 * `small` has an eighth of the width and a third of the iterations. Its learning rate is five times as high, because
 * its detectors would not converge with the published one. For 300 pairs of five types, its classifiers also see every
 * image about 30 times. docs/evaluation.md has figures for both protocols.
 */
export const PROTOCOLS: Record<(typeof protocols)[number], Protocol> = {
  paper: {
    ...{
      resolution: 256,
      tiles: false,
      channels: 64,
      batchSize: 16,
      iterations: 6400,
      learningRate: 1e-4,
      flips: false,
    },
    classifier: { channels: 64, batchSize: 8, iterations: 6400, learningRate: 1e-4 },
  },
  small: {
    ...{ resolution: 128, tiles: false, channels: 8, batchSize: 16, iterations: 2000, learningRate: 5e-4, flips: true },
    classifier: { channels: 16, batchSize: 16, iterations: 3000, learningRate: 1e-3 },
  },
};

/** Returns the protocol that the options choose and change. Throws ERR_INVALID_OPTION for `resolution` with `tile`. */
export function protocolOf(options: z.output<typeof evaluatorSchema>): Protocol & { name: string } {
  const { protocol: name, iterations, learningRate, resolution, tile, classifierIterations } = options;
  if (resolution !== undefined && tile !== undefined) {
    throw new InvalidOptionError('Expected one of resolution and tile: a detector of tiles sees tile x tile pixels');
  }
  const chosen = PROTOCOLS[name];
  return {
    name,
    ...chosen,
    iterations: iterations ?? chosen.iterations,
    learningRate: learningRate ?? chosen.learningRate,
    resolution: tile ?? resolution ?? chosen.resolution,
    tiles: tile !== undefined,
    classifier: { ...chosen.classifier, iterations: classifierIterations ?? chosen.classifier.iterations },
  };
}

import type { z } from 'zod';
import { InvalidOptionError } from '../core/errors.js';
import { DETECTORS, type LearnerProtocol, VIEWS } from '../detect/kinds.js';
import type { View } from '../detect/scored.js';
import type { evaluatorSchema } from '../options/evaluation.js';
import type { ProtocolName } from '../options/names.js';

export type { LearnerProtocol };

/**
 * The settings of an evaluation: the training of the detectors and of the classifier. The settings at the top are those
 * of the published detector, `unet`.
 */
export interface Protocol extends LearnerProtocol, View {
  /** If true, good and generated images are flipped at random. The defects of baselines always are. */
  flips: boolean;
  classifier: LearnerProtocol;
  /** The settings of each evaluated detector. */
  detectors: Readonly<Record<string, LearnerProtocol>>;
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
export const PROTOCOLS: Record<ProtocolName, Omit<Protocol, 'detectors'>> = {
  paper: {
    ...{ resolution: VIEWS.paper.resolution, tiles: false },
    ...{ ...DETECTORS.unet.settings.paper, flips: VIEWS.paper.flips },
    classifier: { channels: 64, batchSize: 8, iterations: 6400, learningRate: 1e-4 },
  },
  small: {
    ...{ resolution: VIEWS.small.resolution, tiles: false },
    ...{ ...DETECTORS.unet.settings.small, flips: VIEWS.small.flips },
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
  const changed = (settings: LearnerProtocol): LearnerProtocol => ({
    ...settings,
    ...(iterations !== undefined && { iterations }),
    ...(learningRate !== undefined && { learningRate }),
  });
  return {
    name,
    ...chosen,
    ...changed(chosen),
    resolution: tile ?? resolution ?? chosen.resolution,
    tiles: tile !== undefined,
    classifier: { ...chosen.classifier, iterations: classifierIterations ?? chosen.classifier.iterations },
    detectors: Object.fromEntries(
      options.detectors.map((one) => {
        const { isTrained, settings } = DETECTORS[one];
        return [one, isTrained ? changed(settings[name]) : settings[name]];
      }),
    ),
  };
}

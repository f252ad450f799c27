/** Declares the options and the steps of a training run. */
import { z } from 'zod';
import type { NativeStep } from '../addon-types.js';
import { taskShape } from '../options/check.js';
import type { TrainSettings } from '../options/generated.js';
import { trainSchema } from '../options/training.js';
import type { TaskOptions } from '../run-native.js';

/** Holds the options of {@link Trainer.train}. */
export interface TrainOptions extends TrainSettings, TaskOptions {
  /** This function receives what was decided before training, such as the size of the windows, in words. */
  onNote?: (note: string) => void;
}

/** The schema of {@link TrainOptions}. */
export const trainCallSchema = trainSchema.extend({
  ...taskShape,
  onNote: z
    .custom<NonNullable<TrainOptions['onNote']>>((value) => typeof value === 'function', 'a function')
    .optional(),
});

/** Holds the options of {@link Trainer.preview}. */
export interface PreviewOptions extends TaskOptions {
  /** The type of the pair. By default it is the first type of the training. */
  type?: string;
  /** The number of denoising steps. */
  steps?: number;
  guidanceScale?: number;
  seed?: number;
}

/** Describes one optimiser update. */
export interface TrainStep extends NativeStep {
  /** This is the number of steps of the whole run. */
  steps: number;
  /** This is the wall time of this step. */
  seconds: number;
}

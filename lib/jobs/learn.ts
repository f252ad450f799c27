import { Dataset } from '../dataset/dataset.js';
import { checkOptions } from '../options/check.js';
import type { LearnJobOptions } from '../options/generated.js';
import { learnSchema } from '../options/jobs.js';
import { trainerSchema } from '../options/training.js';
import { pickGiven } from '../recipes/recipe.js';
import { loadBase } from './base.js';
import type { JobContext } from './job.js';
import { typesIn } from './named-types.js';
import { trainType } from './train-type.js';

/** Holds the result of training an adapter. */
export interface LearnResult {
  adapter: string;
  steps: number;
  firstLoss: number | undefined;
  lastLoss: number | undefined;
  /** This number of steps had no effect because their float16 gradients overflowed. */
  skippedSteps: number;
  seconds: number;
}

/**
 * Trains an adapter on one or several defect types of a category and writes it to `out`. With `resume` it continues
 * from the newest checkpoint, and the result is bit for bit that of an uninterrupted run.
 *
 * Throws the errors of `DualAnoDiff.load` and `Trainer.train`.
 */
export async function learn(options: LearnJobOptions, context: JobContext = {}): Promise<LearnResult> {
  const checked = checkOptions(learnSchema, options);
  const { data, type, out, steps, checkpointEvery, previewEvery, resume } = checked;
  const dataset = await Dataset.open(data);
  const learned = await typesIn(dataset, type); // A wrong type must fail before the model is loaded.
  await using model = await loadBase(pickGiven(checked, learnSchema.shape), context);
  const settings = { ...pickGiven(checked, trainerSchema.shape), types: learned };
  const run = { out, steps, checkpointEvery, previewEvery, resume };
  const { trainer, losses, seconds } = await trainType(model, dataset, settings, run, context);
  await trainer.dispose();
  return {
    adapter: out,
    steps: losses.length,
    firstLoss: losses[0]?.loss,
    lastLoss: losses.at(-1)?.loss,
    skippedSteps: losses.at(-1)?.skippedSteps ?? 0,
    seconds,
  };
}

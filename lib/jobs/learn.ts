import { Dataset } from '../dataset/dataset.js';
import { checkOptions } from '../options/check.js';
import type { LearnJobOptions } from '../options/generated.js';
import { learnSchema } from '../options/jobs.js';
import { trainerSchema } from '../options/training.js';
import { pickGiven } from '../recipes/recipe.js';
import { loadBase } from './base.js';
import type { JobContext } from './job.js';
import { trainType } from './train-type.js';

/** What training an adapter came to. */
export interface LearnResult {
  adapter: string;
  steps: number;
  firstLoss: number | undefined;
  lastLoss: number | undefined;
  /** Steps that changed nothing because their float16 gradients overflowed. */
  skippedSteps: number;
  seconds: number;
}

/**
 * Trains an adapter on one defect type of a category and writes it to `out`. With `resume` it continues from the newest
 * checkpoint, bit for bit as if it had not been cut off.
 *
 * Throws what {@link DualAnoDiff.load} and {@link Trainer.train} throw.
 */
export async function learn(options: LearnJobOptions, context: JobContext = {}): Promise<LearnResult> {
  const checked = checkOptions(learnSchema, options);
  const { data, type, out, steps, checkpointEvery, previewEvery, resume } = checked;
  const dataset = await Dataset.open(data);
  await dataset.examples(type); // A wrong type is an error before the model is read.
  await using model = await loadBase(pickGiven(checked, learnSchema.shape), context);
  const settings = { ...pickGiven(checked, trainerSchema.shape), type };
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

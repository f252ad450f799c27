import { Dataset } from '../dataset/dataset.js';
import { requireTypes } from '../dataset/training-images.js';
import { checkOptions, checkValue } from '../options/check.js';
import type { LearnJobOptions } from '../options/generated.js';
import { learnSchema } from '../options/jobs.js';
import { trainerSchema, types } from '../options/training.js';
import { pickGiven } from '../recipes/recipe.js';
import { loadBase } from './base.js';
import type { JobContext } from './job.js';
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
 * Reads the names of types, with commas between them. `all` stands for every defect type. A type whose name is the whole
 * text takes precedence. Throws ERR_DATASET_INVALID for a type that the dataset does not have, and ERR_INVALID_OPTION
 * for a name that is given twice.
 */
async function typesIn(dataset: Dataset, names: string): Promise<string[]> {
  const whole = names.normalize('NFC');
  const split = whole === 'all' ? dataset.types : whole.split(',');
  const found = checkValue('type', types, dataset.types.includes(whole) ? [whole] : [...split]);
  await requireTypes(dataset, found);
  return found;
}

/**
 * Trains an adapter on one or several defect types of a category and writes it to `out`. With `resume` it continues from the newest
 * checkpoint, and the result is bit for bit that of an uninterrupted run.
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

import { InvalidOptionError } from '../core/errors.js';
import type { Dataset } from '../dataset/dataset.js';
import type { TrainerOptions } from '../options/generated.js';
import type { Adapter } from './adapter.js';
import type { BaseModel } from './base-model.js';
import type { TrainOptions, TrainStep } from './train-options.js';
import { Trainer } from './trainer.js';

/** Holds the options of {@link DualAnoDiff.learn}. */
export interface LearnOptions extends Omit<TrainerOptions, 'types'>, TrainOptions {
  /** These are the defect types to learn. `good` stands for photographs without a defect. */
  types: readonly string[];
  /** This function is called after every training step. If it throws, training ends with its error. */
  onProgress?: (step: TrainStep) => void;
}

/** Trains an adapter on one or several types. */
export async function learnAdapter(model: BaseModel, dataset: Dataset, options: LearnOptions): Promise<Adapter> {
  const { types, steps, out, checkpointEvery, resume, signal, onProgress, onNote, ...settings } = (options ??
    {}) as LearnOptions;
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw new InvalidOptionError(`Expected a function for onProgress but received ${onProgress}`);
  }
  await using trainer = new Trainer(model, { ...settings, types: types as string[] });
  const run = { steps, out, checkpointEvery, resume, signal, onNote };
  for await (const step of trainer.train(dataset, run as TrainOptions)) onProgress?.(step);
  if (out !== undefined) await trainer.save(out);
  return await trainer.adapter();
}

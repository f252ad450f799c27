import { InvalidOptionError } from '../core/errors.js';
import type { Dataset } from '../dataset/dataset.js';
import type { TrainerOptions, TrainSettings } from '../options/generated.js';
import type { Adapter } from './adapter.js';
import type { BaseModel } from './base-model.js';
import { Trainer, type TrainStep } from './trainer.js';

/** Holds the options of {@link DualAnoDiff.learn}. */
export interface LearnOptions extends Omit<TrainerOptions, 'type'>, TrainSettings {
  /** These are the defect types to learn. An adapter learns one type, so the list has one entry. */
  types: readonly [string];
  signal?: AbortSignal;
  /** This function is called after every training step. If it throws, training ends with its error. */
  onProgress?: (step: TrainStep) => void;
}

/** Trains an adapter on one type. */
export async function learnAdapter(model: BaseModel, dataset: Dataset, options: LearnOptions): Promise<Adapter> {
  const { types, steps, out, checkpointEvery, resume, signal, onProgress, ...settings } = options;
  const [type] = Array.isArray(types) ? types : [];
  if (type === undefined || types.length !== 1) {
    throw new InvalidOptionError(
      `Expected one defect type for types, as in ['crack'], but received ${JSON.stringify(types)}`,
    );
  }
  await using trainer = new Trainer(model, { ...settings, type });
  const run = { steps, out, checkpointEvery, resume, signal };
  for await (const step of trainer.train(dataset, run as TrainSettings)) onProgress?.(step);
  if (out !== undefined) await trainer.save(out);
  return await trainer.adapter();
}

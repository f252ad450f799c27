import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { NativeLearner, NativeLearnerOptions } from '../addon-types.js';
import { AbortedError, TrainingError, withFileErrors } from '../core/errors.js';
import { createFolder } from '../core/files.js';
import { type NativeTaskOptions, runNative } from '../run-native.js';
import type { EvaluationData } from './evaluation-data.js';
import type { LearnerProtocol, Protocol } from './protocol.js';
import type { Row } from './rows.js';
import type { TrainingSet } from './training-set.js';

export interface TrainLearnerOptions extends NativeTaskOptions {
  torchThread: number;
  iterations: number;
  /** The path of the checkpoint. If the file exists, training continues from it. */
  checkpoint: string;
  checkpointEvery: number;
  /** The digest that identifies this network's checkpoint. */
  digest: string;
  onStep: (step: number, loss: number) => void;
}

/** The training data and test data of a network. */
export interface LearnerInput {
  row: Row;
  protocol: Protocol;
  training: TrainingSet;
  data: EvaluationData;
  seed: number;
  device: string;
}

/** Returns the engine's options for a network that is trained on a row. */
export function learnerOptions(
  row: Row,
  { flips }: Protocol,
  { channels, batchSize, iterations, learningRate }: LearnerProtocol,
  { seed, device }: { seed: number; device: string },
): NativeLearnerOptions {
  // Rows without generated pairs have few defects, which are always flipped.
  const flipDefects = flips || row.generated === undefined;
  return { channels, batchSize, iterations, learningRate, flips, seed, device, source: row.source, flipDefects };
}

/** Trains a network to its end. Continues from its checkpoint if there is one, and writes one if it is aborted. */
export async function trainLearner(learner: NativeLearner, options: TrainLearnerOptions): Promise<void> {
  const { iterations, checkpoint, checkpointEvery, digest, onStep, signal, torchThread } = options;
  let position = 0;
  const save = () => runNative({ torchThread }, (_, task) => learner.saveCheckpoint(checkpoint, { digest }, task));
  try {
    await withFileErrors('write', checkpoint, () => createFolder(dirname(checkpoint)));
    if (existsSync(checkpoint)) {
      const saved = await runNative({ torchThread }, (engine, task) => engine.readMetadata(checkpoint, task));
      if (saved.digest !== digest) {
        throw new TrainingError(
          `${checkpoint} belongs to another evaluation: remove it, or choose another folder`,
          'ERR_CHECKPOINT_MISMATCH',
        );
      }
      position = await runNative({ torchThread }, (_, task) => learner.loadCheckpoint(checkpoint, task));
    }
    while (position < iterations) {
      const { step, loss } = await runNative({ signal, torchThread }, (_, task) => learner.step(task));
      position = step;
      if (step % checkpointEvery === 0 && step < iterations) await save();
      onStep(step, loss);
    }
  } catch (error) {
    const isAborted = error instanceof AbortedError || signal?.aborted; // The signal's reason may be another error.
    if (isAborted && position > 0) await save();
    throw error;
  }
}

/** Removes the checkpoint of a network after its result is written. */
export const removeCheckpoint = (checkpoint: string): Promise<void> => rm(checkpoint, { force: true });

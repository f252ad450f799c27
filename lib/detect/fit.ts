/** Fits detectors and classifiers, and keeps their checkpoints. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { NativeFitted } from '../addon-types.js';
import { AbortedError, TrainingError, withFileErrors } from '../core/errors.js';
import { createFolder } from '../core/files.js';
import { type NativeTaskOptions, runNative } from '../run-native.js';

/** The file that keeps an interrupted fit. */
export interface Checkpoint {
  /** If the file exists, the fit continues from it. */
  file: string;
  /** It is written after this number of steps, and after twice that number, and so on. */
  every: number;
  /** The digest that identifies this fit's checkpoint. */
  digest: string;
}

export interface FitOptions extends NativeTaskOptions {
  torchThread: number;
  /** The number of steps of the whole fit. */
  steps: number;
  checkpoint: Checkpoint | undefined;
  /** The loss is NaN for a step that has none. */
  onStep: (step: number, loss: number) => void;
  /** True if the checkpoint is written after the last step, too. */
  keepsEnd?: boolean;
  /** Is awaited after each step, and again for the last step of an earlier process, in which it may not have ended. */
  afterStep?: ((step: number) => Promise<void>) | undefined;
}

/** Loads the checkpoint of a fit and returns its step. It is 0 if there is no file. */
async function resume(fitted: NativeFitted, { file, digest }: Checkpoint, torchThread: number): Promise<number> {
  await withFileErrors('write', file, () => createFolder(dirname(file)));
  if (!existsSync(file)) return 0;
  const saved = await runNative({ torchThread }, (engine, task) => engine.readMetadata(file, task));
  if (saved.digest === digest) return runNative({ torchThread }, (_, task) => fitted.loadCheckpoint(file, task));
  throw new TrainingError(
    `${file} belongs to another fit: remove it, or choose another folder`,
    'ERR_CHECKPOINT_MISMATCH',
  );
}

/** Fits a network to its end. Continues from its checkpoint if there is one, and writes one if it is aborted. */
export async function runFit(fitted: NativeFitted, options: FitOptions): Promise<void> {
  const { steps, checkpoint, keepsEnd = false, onStep, afterStep, signal, torchThread } = options;
  let position = checkpoint ? await resume(fitted, checkpoint, torchThread) : 0;
  const save = async () => {
    if (!checkpoint) return;
    const { file, digest } = checkpoint;
    await runNative({ torchThread }, (_, task) => fitted.saveCheckpoint(file, { digest }, task));
  };
  try {
    if (position > 0) await afterStep?.(position);
    while (position < steps) {
      const { step, loss } = await runNative({ signal, torchThread }, (_, task) => fitted.step(task));
      position = step;
      const isDue = step === steps ? keepsEnd : step % (checkpoint?.every ?? 1) === 0;
      if (isDue) await save();
      onStep(step, loss);
      await afterStep?.(step);
    }
  } catch (error) {
    const isAborted = error instanceof AbortedError || signal?.aborted; // The signal's reason may be another error.
    if (isAborted && position > 0) await save();
    throw error;
  }
}

/** Removes the checkpoint of a network after its result is written. */
export const removeCheckpoint = (checkpoint: string): Promise<void> => rm(checkpoint, { force: true });

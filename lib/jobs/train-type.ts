/** Trains the adapter of one or several defect types and writes checkpoints, a log and previews beside it. */
import { resolve } from 'node:path';
import { writeFileAtomic } from '../core/files.js';
import type { PixelData } from '../core/image.js';
import type { Dataset } from '../dataset/dataset.js';
import { encodePng } from '../dataset/image-file.js';
import type { BaseModel } from '../model/base-model.js';
import { type LogEntry, RunFiles } from '../model/checkpoints.js';
import { Trainer } from '../model/trainer.js';
import { given } from '../options/check.js';
import type { TrainerOptions } from '../options/generated.js';
import type { JobContext } from './job.js';

/** A preview shows the progress of training only, so that a few steps are enough. */
const PREVIEW_STEPS = 20;

export interface TrainRun {
  out: string;
  steps?: number | undefined;
  checkpointEvery?: number | undefined;
  /** This number of training steps lies between previews; 0 means no previews. */
  previewEvery?: number | undefined;
  resume: boolean;
}

export interface TrainedType {
  trainer: Trainer;
  /** The list has every step, including those of earlier processes. */
  losses: LogEntry[];
  /** This is the time that training took in this process. */
  seconds: number;
}

/** Puts image and part into one picture. */
function sideBySide(image: PixelData, part: PixelData): PixelData {
  const row = image.width * 3;
  const data = new Uint8Array(2 * image.data.length);
  for (let y = 0; y < image.height; y++) {
    data.set(image.data.subarray(y * row, (y + 1) * row), 2 * y * row);
    data.set(part.data.subarray(y * row, (y + 1) * row), (2 * y + 1) * row);
  }
  return { data, width: 2 * image.width, height: image.height, channels: 3 };
}

async function writePreview(
  trainer: Trainer,
  out: string,
  step: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const pair = await trainer.preview({ steps: PREVIEW_STEPS, ...(signal && { signal }) });
  const file = out.replace(/(\.safetensors)?$/, `.preview-${String(step).padStart(6, '0')}.png`);
  await writeFileAtomic(resolve(file), await encodePng(sideBySide(pair.image, pair.part)));
}

/** Trains and saves the adapter, which unlocks its files. The caller must dispose of the trainer. */
export async function trainType(
  model: BaseModel,
  dataset: Dataset,
  settings: TrainerOptions,
  { out, steps = model.defaults.training.steps, checkpointEvery, previewEvery, resume }: TrainRun,
  { signal, onEvent }: JobContext,
): Promise<TrainedType> {
  const trainer = new Trainer(model, settings);
  const { types } = settings;
  const [type] = types.length === 1 ? types : [];
  const start = performance.now();
  try {
    const onNote = (note: string) => onEvent?.({ event: 'note', message: `${types.join(', ')}: ${note}` });
    const run = { steps, out, resume, onNote, ...given({ checkpointEvery, signal }) };
    for await (const { step, loss } of trainer.train(dataset, run)) {
      onEvent?.({
        event: 'progress',
        stage: 'train',
        unit: 'steps',
        done: step,
        total: steps,
        loss,
        ...given({ type }),
      });
      if (previewEvery && step % previewEvery === 0) await writePreview(trainer, out, step, signal);
    }
    await trainer.save(out);
  } catch (error) {
    await trainer.dispose();
    throw error;
  }
  const losses = await new RunFiles(resolve(out)).readLog();
  return { trainer, losses, seconds: (performance.now() - start) / 1000 };
}

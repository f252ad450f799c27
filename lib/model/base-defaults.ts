/** Settings that suit a base: those in the `dualanodiff.json` of its folder, else those for Stable Diffusion. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../core/errors.js';
import { checkOptions } from '../options/check.js';
import type { schedulers } from '../options/names.js';
import { pick } from '../options/option.js';
import { engineSamplingOptions } from '../options/sampling.js';
import { stableDiffusion } from '../options/stable-diffusion.js';
import { trainingOptions, trainSteps } from '../options/training.js';

/** Settings of training and sampling that suit a base. */
export interface BaseDefaults {
  training: {
    /** Pixels along each side. */
    resolution: number;
    steps: number;
    /** Pairs. */
    batchSize: number;
    learningRate: number;
    /** Timesteps are drawn with density p t^(p-1): 1 is the paper's uniform draw, more favours high noise. */
    timestepPower: number;
    /** At least this share of the loss comes from the defect; 0 is the paper's loss. */
    defectLossShare: number;
    /** The adapter that training starts from: the base folder's `initial_adapter.safetensors`, else 'none'. */
    initialAdapter: string;
    /** Prompts; `{category}` and `{type}` stand for the dataset's names, with spaces for underscores. */
    globalPrompt: string;
    anomalyPrompt: string;
  };
  sampling: {
    steps: number;
    scheduler: (typeof schedulers)[number];
    /** Sampling starts from noise around the training images' mean latents, which a small base mistakes for their colour. */
    startFromLatentMean: boolean;
  };
}

export const NO_ADAPTER = 'none';
const DEFAULTS_FILE = 'dualanodiff.json';
const INITIAL_ADAPTER_FILE = 'initial_adapter.safetensors';

const training = pick(trainingOptions, [
  ...(['resolution', 'batchSize', 'learningRate', 'timestepPower', 'defectLossShare'] as const),
  ...(['globalPrompt', 'anomalyPrompt'] as const),
]);
const fileSchema = z
  .strictObject({
    training: z.strictObject({ ...training, steps: trainSteps }),
    sampling: z.strictObject(pick(engineSamplingOptions, ['steps', 'scheduler', 'startFromLatentMean'])),
  })
  .partial();

/** Throws ERR_MODEL_INVALID naming the file and the setting that is wrong in it. */
export function readBaseDefaults(path: string): BaseDefaults {
  const { training, sampling } = stableDiffusion;
  const isFolder = statSync(path).isDirectory();
  const adapter = join(path, INITIAL_ADAPTER_FILE);
  const initialAdapter = isFolder && existsSync(adapter) ? adapter : NO_ADAPTER;
  const file = join(path, DEFAULTS_FILE);
  if (!isFolder || !existsSync(file)) return { training: { ...training, initialAdapter }, sampling };
  try {
    const own = checkOptions(fileSchema, JSON.parse(readFileSync(file, 'utf8')));
    return {
      training: { ...training, ...own.training, initialAdapter } as BaseDefaults['training'],
      sampling: { ...sampling, ...own.sampling } as BaseDefaults['sampling'],
    };
  } catch (cause) {
    throw new ModelError(`${file}: ${(cause as Error).message}`, 'ERR_MODEL_INVALID', { cause });
  }
}

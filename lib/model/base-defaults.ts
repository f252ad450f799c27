/**
 * Reads the settings that suit a base from the `dualanodiff.json` of its folder, or takes those for Stable Diffusion.
 */
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

/** Holds the settings of training and sampling that suit a base. */
export interface BaseDefaults {
  training: {
    /** Pixels along each side. */
    resolution: number;
    steps: number;
    /** Pairs. */
    batchSize: number;
    learningRate: number;
    /**
     * Timesteps are drawn with density p t^(p-1). The paper draws them uniformly, with p = 1; a larger p favours high
     * noise.
     */
    timestepPower: number;
    /** At least this share of the loss comes from the defect. The paper's loss has the share 0. */
    defectLossShare: number;
    /**
     * Training starts from this adapter: `initial_adapter.safetensors` in the base's folder if it exists, else 'none'.
     */
    initialAdapter: string;
    /** In prompts, `{category}` and `{type}` stand for the dataset's names, with spaces instead of underscores. */
    globalPrompt: string;
    anomalyPrompt: string;
  };
  sampling: {
    steps: number;
    scheduler: (typeof schedulers)[number];
    /**
     * True to start sampling from noise around the mean latents of the training images. A small base otherwise misses
     * their mean colour.
     */
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

/** Returns the defaults of a base. Throws ERR_MODEL_INVALID with the file and the invalid setting. */
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

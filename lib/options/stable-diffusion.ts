/** Lists the paper's values for Stable Diffusion 1.5 of the settings that depend on the base. */
import type { schedulers } from './names.js';

export const stableDiffusion = {
  training: {
    resolution: 512,
    steps: 5000,
    batchSize: 4,
    learningRate: 5e-6,
    timestepPower: 1,
    defectLossShare: 0,
    globalPrompt: 'a vfx with sks',
    anomalyPrompt: 'sks',
  },
  sampling: {
    steps: 50,
    scheduler: 'pndm' as (typeof schedulers)[number],
    startFromLatentMean: false,
  },
};

/** Describes a default that depends on the base. */
export const ofBase = (value: unknown): string => `set by the base, ${value} for Stable Diffusion`;

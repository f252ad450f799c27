/** Settings that depend on the base, for Stable Diffusion 1.5: those of the paper. */
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

/** Documentation of a default that depends on the base. */
export const ofBase = (value: unknown): string => `what suits the base, ${value} for Stable Diffusion`;

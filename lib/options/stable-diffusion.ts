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

/** Lists what the embedded model sets instead, as far as users ask for it first. Its `dualanodiff.json` decides. */
export const embeddedModel = { training: { resolution: 128, steps: 160 }, sampling: { steps: 20 } };

/** Describes a default that depends on the base by its value for Stable Diffusion and, if given, for the embedded model. */
export const ofBase = (value: unknown, embedded?: unknown): string =>
  `set by the base, ${embedded === undefined ? '' : `${embedded} for the embedded model, `}${value} for Stable Diffusion`;

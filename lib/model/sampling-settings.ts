/** The settings of sampling with nothing left open. */
import type { z } from 'zod';
import { checkOptions } from '../options/check.js';
import type { SampleSettings } from '../options/generated.js';
import { type sampleSchema, samplingSchema, withDefaults } from '../options/sampling.js';
import type { AdapterInfo } from './adapter-info.js';
import type { BaseModel } from './base-model.js';

type Open = 'preset' | 'count' | 'attention';

/** Settings with those of the preset, of the base and of the adapter where the caller leaves them out. */
export type ResolvedSampling = Required<Omit<z.output<typeof sampleSchema>, Open>>;

export type SamplingSettings = Omit<SampleSettings, 'count' | 'attention'>;

/** Throws ERR_INVALID_OPTION. */
export function resolveSampling(settings: SamplingSettings, model: BaseModel, adapter: AdapterInfo): ResolvedSampling {
  const { sampling, training } = model.defaults;
  const { preset: _, ...checked } = checkOptions(samplingSchema, withDefaults(settings, sampling));
  return {
    ...{ ...sampling, ...checked },
    globalPrompt: checked.globalPrompt ?? adapter.globalPrompt,
    anomalyPrompt: checked.anomalyPrompt ?? adapter.anomalyPrompt,
    resolution: checked.resolution ?? adapter.resolution ?? training.resolution,
    backgroundScaled: checked.backgroundScaled ?? adapter.backgroundScaled,
  } as ResolvedSampling;
}

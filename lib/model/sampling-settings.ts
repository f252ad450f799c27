/** The settings of sampling with nothing left open, and as the engine takes them. */
import type { z } from 'zod';
import type { NativeSampleOptions } from '../addon-types.js';
import { checkOptions } from '../options/check.js';
import type { SampleSettings } from '../options/generated.js';
import { engineSamplingOptions, type sampleSchema, samplingSchema, withPreset } from '../options/sampling.js';
import type { AdapterInfo } from './adapter-info.js';
import type { BaseModel } from './base-model.js';

export type SamplingSettings = Omit<SampleSettings, 'count' | 'attention'>;

type Checked = z.output<typeof sampleSchema>;

/** Settings with those of the preset, of the base and of the adapter where the caller leaves them out. */
export type ResolvedSampling = {
  [Name in Exclude<keyof Checked, 'preset' | 'count' | 'attention'>]-?: Exclude<Checked[Name], undefined>;
};

/** What an adapter says of how it was trained. */
type TrainedWith = Pick<AdapterInfo, 'globalPrompt' | 'anomalyPrompt' | 'resolution' | 'backgroundScaled'>;

/** Throws ERR_INVALID_OPTION. */
export function resolveSampling(settings: SamplingSettings, model: BaseModel, trained: TrainedWith): ResolvedSampling {
  const { sampling, training } = model.defaults;
  const { preset: _, ...checked } = checkOptions(samplingSchema, withPreset(settings));
  return {
    ...checked,
    steps: checked.steps ?? sampling.steps,
    scheduler: checked.scheduler ?? sampling.scheduler,
    startFromLatentMean: checked.startFromLatentMean ?? sampling.startFromLatentMean,
    globalPrompt: checked.globalPrompt ?? trained.globalPrompt,
    anomalyPrompt: checked.anomalyPrompt ?? trained.anomalyPrompt,
    resolution: checked.resolution ?? trained.resolution ?? training.resolution,
    backgroundScaled: checked.backgroundScaled ?? trained.backgroundScaled,
  };
}

/** The settings of one batch as the engine takes them. */
export function nativeSampling(settings: ResolvedSampling, attention: boolean): NativeSampleOptions {
  const { guidanceInterval, decoder, resolution } = settings;
  const [guidedFrom, guidedTo] = guidanceInterval;
  const names = Object.keys(engineSamplingOptions) as (keyof typeof engineSamplingOptions)[];
  const asTheyAre = Object.fromEntries(names.map((name) => [name, settings[name]]));
  const translated = { guidedFrom, guidedTo, fastDecoder: decoder === 'taesd', attention };
  return { ...asTheyAre, ...translated, width: resolution, height: resolution } as NativeSampleOptions;
}

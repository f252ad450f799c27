/** Completes the settings of sampling and translates them for the engine. */
import type { z } from 'zod';
import type { NativeSampleOptions } from '../addon-types.js';
import { checkOptions } from '../options/check.js';
import type { SampleSettings } from '../options/generated.js';
import { engineSamplingOptions, type sampleSchema, samplingSchema, withPreset } from '../options/sampling.js';
import type { AdapterInfo } from './adapter-info.js';
import type { BaseModel } from './base-model.js';
import { learnedType } from './type-prompts.js';

export type SamplingSettings = Omit<SampleSettings, 'count' | 'attention'>;

type Checked = z.output<typeof sampleSchema>;

/** Holds complete settings: the preset, the adapter and the base supply those that the caller leaves out. */
export type ResolvedSampling = {
  [Name in Exclude<keyof Checked, 'preset' | 'type' | 'count' | 'attention'>]-?: Exclude<Checked[Name], undefined>;
};

/** Holds those settings of an adapter's training that sampling uses by default. */
type TrainedWith = Pick<AdapterInfo, 'types' | 'prompts' | 'resolution' | 'backgroundScaled'>;

/** Completes the settings. Throws ERR_INVALID_OPTION, also for a type that the adapter has not learned. */
export function resolveSampling(settings: SamplingSettings, model: BaseModel, trained: TrainedWith): ResolvedSampling {
  const { sampling, training } = model.defaults;
  const { preset: _, type, ...checked } = checkOptions(samplingSchema, withPreset(settings));
  const { prompts } = learnedType(trained, type);
  return {
    ...checked,
    steps: checked.steps ?? sampling.steps,
    scheduler: checked.scheduler ?? sampling.scheduler,
    startFromLatentMean: checked.startFromLatentMean ?? sampling.startFromLatentMean,
    globalPrompt: checked.globalPrompt ?? prompts.global,
    anomalyPrompt: checked.anomalyPrompt ?? prompts.anomaly,
    resolution: checked.resolution ?? trained.resolution ?? training.resolution,
    backgroundScaled: checked.backgroundScaled ?? trained.backgroundScaled,
  };
}

/** Translates complete settings for the engine. */
export function nativeSampling(settings: ResolvedSampling, attention: boolean): NativeSampleOptions {
  const { guidanceInterval, decoder, resolution } = settings;
  const [guidedFrom, guidedTo] = guidanceInterval;
  const names = Object.keys(engineSamplingOptions) as (keyof typeof engineSamplingOptions)[];
  const unchanged = Object.fromEntries(names.map((name) => [name, settings[name]]));
  const translated = { guidedFrom, guidedTo, fastDecoder: decoder === 'taesd', attention };
  return { ...unchanged, ...translated, width: resolution, height: resolution } as NativeSampleOptions;
}

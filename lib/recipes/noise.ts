/** Makes pairs by the paper's recipe: the whole image and the anomaly part are denoised together. */
import { basename, resolve } from 'node:path';
import { InvalidOptionError } from '../core/errors.js';
import { imagesBelow } from '../dataset/folders.js';
import type { ImageSource } from '../dataset/image-source.js';
import { Adapter } from '../model/adapter.js';
import type { BaseModel } from '../model/base-model.js';
import {
  type Background,
  foregroundName,
  loadBackgrounds,
  loadBackgroundWindows,
  withForegroundSource,
} from '../model/foreground.js';
import { generatePairs } from '../model/generate.js';
import type { ResolvedMasks } from '../model/pair-masker.js';
import { type ResolvedSampling, resolveSampling } from '../model/sampling-settings.js';
import { learnedType } from '../model/type-prompts.js';
import { checkOptions, given } from '../options/check.js';
import type { GenerateJobOptions } from '../options/generated.js';
import { maskOptions, maskSettingsSchema } from '../options/masks.js';
import { samplingOptions, samplingSchema } from '../options/sampling.js';
import { type OpenRecipe, pickGiven } from './recipe.js';

/** Holds the options of the recipe beside the model and the adapter. */
export type NoiseOptions = Partial<Omit<GenerateJobOptions, 'adapter' | 'out' | 'resume' | 'keepBest'>>;

/** Loads the backgrounds of the pairs. Returns undefined for an adapter without background compensation. */
async function backgroundsFor(
  { info }: Adapter,
  options: NoiseOptions & { count: number },
  { resolution, backgroundEvery }: ResolvedSampling,
  goodImages: readonly ImageSource[],
  device: string,
): Promise<Background[] | undefined> {
  const { count, backgroundImages: folder, foregroundMasks, foregroundWeights } = options;
  if (info.background === 'off') {
    if (folder === undefined) return undefined;
    throw new InvalidOptionError(
      'The adapter was trained without background compensation: it cannot use backgroundImages',
    );
  }
  const files = folder === undefined ? goodImages : await imagesBelow(resolve(folder));
  if (files.length === 0) {
    throw new InvalidOptionError(
      `The adapter was trained with background compensation: it needs good images, but ${folder === undefined ? 'there are neither backgroundImages nor images in train/good of the dataset' : `${folder} holds none`}`,
    );
  }
  const needed = files.slice(0, Math.ceil(count / backgroundEvery));
  const foregrounds = given({ foregroundMasks, foregroundWeights });
  const { window, fit } = info;
  return withForegroundSource(foregrounds, device, (source) =>
    typeof window === 'number'
      ? loadBackgroundWindows(needed, { window, resolution }, source)
      : loadBackgrounds(needed, resolution, fit, source),
  );
}

/** Returns all settings that decide the pixels of the pairs. */
function settingsOf(
  sampling: ResolvedSampling,
  masks: ResolvedMasks,
  model: BaseModel,
  backgrounds: readonly Background[] | undefined,
  foreground: string,
): Record<string, unknown> {
  const {
    backgroundEvery,
    backgroundNoise,
    backgroundScaled,
    keepBackgroundFeatures: _,
    batchSize: __,
    ...deciding
  } = sampling;
  return {
    ...deciding,
    ...masks,
    dtype: model.info.dtype,
    ...(backgrounds && {
      ...{ backgroundEvery, backgroundNoise, backgroundScaled },
      backgrounds: backgrounds.map(({ label }) => basename(label)),
      foreground,
    }),
  };
}

/** Prepares pairs of an adapter. `goodImages` are the backgrounds if the options name no others. */
export async function openNoise(
  model: BaseModel,
  adapterFile: string,
  options: NoiseOptions & { count: number },
  goodImages: readonly ImageSource[] = [],
): Promise<OpenRecipe> {
  const adapter = await Adapter.load(adapterFile);
  try {
    const settings = pickGiven(options, samplingOptions);
    const sampling = resolveSampling(settings, model, adapter.info);
    const { type } = checkOptions(samplingSchema, settings);
    const masks = checkOptions(maskSettingsSchema, pickGiven(options, maskOptions));
    const backgrounds = await backgroundsFor(adapter, options, sampling, goodImages, model.info.device);
    return {
      source: {
        type: learnedType(adapter.info, type).name,
        recipe: 'noise',
        adapter: await adapter.digest(),
        settings: settingsOf(sampling, masks, model, backgrounds, foregroundName(options)),
      },
      pairs: (request) =>
        generatePairs(model, adapter, {
          ...{ ...sampling, ...given(masks), ...given({ type, backgrounds }), ...given(request) },
        }),
      [Symbol.asyncDispose]: () => adapter.dispose(),
    };
  } catch (error) {
    await adapter.dispose();
    throw error;
  }
}

/** Declares the options of sampling. */
import { z } from 'zod';
import { flag, given, integer, oneOf, path, real, text } from './check.js';
import { schedulers } from './names.js';
import { option } from './option.js';
import { embeddedModel, ofBase, stableDiffusion } from './stable-diffusion.js';
import { foregroundOptions, seed } from './training.js';
import { learnedTypeName } from './type-name.js';

const paper = stableDiffusion.sampling;

/**
 * A preset makes fewer and cheaper calls of the model. The documentation on speed tells its cost in quality. It only
 * replaces settings that the caller leaves out.
 */
const PRESETS = {
  fast: { scheduler: 'dpmsolver++', steps: 15, guidanceInterval: [0.2, 1], reuseFeatures: 2 },
} as const;

/** The engine takes these settings unchanged. */
export const engineSamplingOptions = {
  steps: option(integer(1, 1000).optional(), 'advanced', 'Sample with this many denoising steps.', {
    fallback: ofBase(paper.steps, embeddedModel.sampling.steps),
  }),
  guidanceScale: option(
    real(0, 100).default(2.5),
    'advanced',
    'Set the scale of classifier-free guidance. 1 turns it off.',
  ),
  reuseFeatures: option(
    integer(1, 100).default(1),
    'advanced',
    "Compute the UNet's inner layers only at every n-th call and reuse them in between (DeepCache, arXiv 2312.00858).",
  ),
  scheduler: option(oneOf(schedulers).optional(), 'advanced', 'Denoise with this scheduler.', {
    fallback: ofBase(paper.scheduler),
  }),
  eta: option(real(0, 1).default(0), 'api', 'Add this share of noise at each step of the scheduler ddim.'),
  seed,
  globalPrompt: option(text().optional(), 'advanced', 'Set the prompt of the whole image.', {
    valueName: 'text',
    fallback: 'as trained',
  }),
  anomalyPrompt: option(text().optional(), 'advanced', 'Set the prompt of the anomaly part.', {
    valueName: 'text',
    fallback: 'as trained',
  }),
  negativePrompt: option(text().default(''), 'advanced', 'Describe what the images should not show.', {
    valueName: 'text',
  }),
  startFromLatentMean: option(
    flag().optional(),
    'api',
    "Start from noise around the training images' mean latents, not around zero.",
    { fallback: ofBase(paper.startFromLatentMean) },
  ),
};

/** TypeScript code translates these settings for the engine. */
const translatedOptions = {
  type: option(
    learnedTypeName().optional(),
    'common',
    'Make pairs of this type. It must be one of those that the adapter has learned. An adapter that stores no type takes any name.',
    { valueName: 'name', fallback: "the adapter's, or anomaly if it stores none" },
  ),
  guidanceInterval: option(
    z
      .tuple([real(0, 1), real(0, 1)], 'two numbers')
      .refine(([from, to]) => from <= to, 'two numbers of which the second is no smaller')
      .default([0, 1]),
    'advanced',
    'Use guidance only in this range of noise, from 0, the image, to 1, pure noise (arXiv 2404.07724).',
    { valueName: 'from:to' },
  ),
  preset: option(
    oneOf(['fast']).optional(),
    'advanced',
    'Use named settings with fewer and cheaper calls of the model. Options that are given override them.',
  ),
  decoder: option(
    oneOf(['vae', 'taesd']).default('vae'),
    'advanced',
    "Decode latents with the base's decoder, or with the TAESD that was loaded with the base.",
  ),
  resolution: option(integer(8, 4096).optional(), 'advanced', 'Make pairs with this many pixels along each side.', {
    fallback: 'as trained',
  }),
  backgroundEvery: option(
    integer(1).default(50),
    'advanced',
    'With background compensation, use each background for this many pairs.',
  ),
  backgroundScaled: option(flag().optional(), 'advanced', "Scale background latents by the autoencoder's factor.", {
    fallback: 'as trained',
  }),
  backgroundNoise: option(
    oneOf(['fixed', 'fresh']).default('fixed'),
    'advanced',
    'Add the same noise to a background at all steps, or fresh noise at every step, as in the published code.',
  ),
  keepBackgroundFeatures: option(
    oneOf(['no', 'device', 'host']).default('no'),
    'advanced',
    'Keep the features of a background in this memory for the batches that share it. Stable Diffusion needs 46 MB for each call at 512 pixels.',
  ),
};

export const batchSize = option(integer(1, 1024).default(4), 'advanced', 'Sample this many pairs at once.');
/** The names of pairs have six digits, and lists of more indices would fill the memory of the process. */
export const MAX_PAIRS = 1_000_000;
export const count = option(integer(1, MAX_PAIRS).default(16), 'common', 'Make this many pairs of each type.');

export const range = option(
  z
    .tuple([integer(0, MAX_PAIRS), integer(1, MAX_PAIRS)], 'two integers')
    .refine(([from, to]) => from < to, 'two integers of which the second is larger')
    .optional(),
  'api',
  'Make only the pairs from the first index up to, but without, the second one, so that several jobs share the pairs.',
);

export const samplingOptions = { ...engineSamplingOptions, ...translatedOptions, batchSize };
export const backgroundOptions = {
  backgroundImages: option(
    path('a folder').optional(),
    'advanced',
    'With background compensation, take the backgrounds of the pairs from this folder of good images.',
    { valueName: 'dir', fallback: "the category's good images, if the job has a dataset" },
  ),
  ...foregroundOptions,
};

export const samplingSchema = z.strictObject(samplingOptions);

const attention = option(
  flag().default(false),
  'api',
  'Give each pair the attention map of the anomaly branch, for masks.',
);
export const sampleSchema = z.strictObject({ ...samplingOptions, count, attention });
export const batchSchema = z.strictObject({
  ...engineSamplingOptions,
  ...translatedOptions,
  attention,
  indices: option(
    z.array(integer(0), 'a list of integers').min(1, 'at least one index'),
    'api',
    'Make the pairs of the seed that have these indices.',
  ),
});

/** Completes the options with the preset that they name. */
export function withPreset<T extends { preset?: keyof typeof PRESETS | undefined }>(options: T): T {
  const preset: object = options.preset === undefined ? {} : PRESETS[options.preset];
  return { ...preset, ...given(options) } as T;
}

/** Options of sampling. */
import { z } from 'zod';
import { flag, given, integer, oneOf, path, real, text } from './check.js';
import { schedulers } from './names.js';
import { option } from './option.js';
import { ofBase, stableDiffusion } from './stable-diffusion.js';
import { foregroundOptions, seed } from './training.js';

const paper = stableDiffusion.sampling;

/**
 * Named settings for fewer and cheaper calls of the model. The documentation on speed says what each costs in quality.
 * They hold for what the caller leaves out.
 */
const PRESETS = {
  fast: { scheduler: 'dpmsolver++', steps: 15, guidanceInterval: [0.2, 1], reuseFeatures: 2 },
} as const;

/** Settings that the engine takes as they are. */
export const engineSamplingOptions = {
  steps: option(integer(1, 1000).optional(), 'advanced', 'Denoising steps.', { fallback: ofBase(paper.steps) }),
  guidanceScale: option(real(0, 100).default(2.5), 'advanced', 'Scale of classifier-free guidance; 1 is none.'),
  reuseFeatures: option(
    integer(1, 100).default(1),
    'advanced',
    "Compute the UNet's inner layers at every n-th call only and reuse them in between (DeepCache, arXiv 2312.00858).",
  ),
  scheduler: option(oneOf(schedulers).optional(), 'advanced', 'Scheduler of the denoising steps.', {
    fallback: ofBase(paper.scheduler),
  }),
  eta: option(real(0, 1).default(0), 'api', 'Share of noise that the scheduler ddim adds at each step.'),
  seed,
  globalPrompt: option(text().optional(), 'advanced', 'Prompt of the whole image.', {
    placeholder: 'text',
    fallback: 'as trained',
  }),
  anomalyPrompt: option(text().optional(), 'advanced', 'Prompt of the anomaly part.', {
    placeholder: 'text',
    fallback: 'as trained',
  }),
  negativePrompt: option(text().default(''), 'advanced', 'What the images should not show.', { placeholder: 'text' }),
  startFromLatentMean: option(
    flag().optional(),
    'api',
    "Start from noise around the training images' mean latents, not around zero.",
    { fallback: ofBase(paper.startFromLatentMean) },
  ),
};

/** Settings that the node side translates for the engine. */
const translatedOptions = {
  guidanceInterval: option(
    z
      .tuple([real(0, 1), real(0, 1)], 'two numbers')
      .refine(([from, to]) => from <= to, 'two numbers of which the second is no smaller')
      .default([0, 1]),
    'advanced',
    'Range of calls with guidance, from the image (0) to pure noise (1) (arXiv 2404.07724).',
    { placeholder: 'from:to' },
  ),
  preset: option(
    oneOf(['fast']).optional(),
    'advanced',
    'Named settings for fewer and cheaper calls of the model; options that are given win.',
  ),
  decoder: option(
    oneOf(['vae', 'taesd']).default('vae'),
    'advanced',
    "What makes images of latents: the base's decoder, or the TAESD that it was loaded with.",
  ),
  resolution: option(integer(8, 4096).optional(), 'advanced', 'Pixels along each side of the pairs.', {
    fallback: 'as trained',
  }),
  backgroundEvery: option(
    integer(1).default(50),
    'advanced',
    'For background compensation: pairs that share a background before the next one is taken.',
  ),
  backgroundScaled: option(flag().optional(), 'advanced', "Scale background latents by the autoencoder's factor.", {
    fallback: 'as trained',
  }),
  backgroundNoise: option(
    oneOf(['fixed', 'fresh']).default('fixed'),
    'advanced',
    'Noise of a background: one for all steps, or fresh noise at every step, as in the published code.',
  ),
  keepBackgroundFeatures: option(
    oneOf(['no', 'device', 'host']).default('no'),
    'advanced',
    'Where the features of a background are kept for the batches that share it: 46 MB a call for Stable Diffusion at 512 pixels.',
  ),
};

export const batchSize = option(integer(1, 1024).default(4), 'advanced', 'Pairs that are sampled at once.');
export const count = option(integer(1).default(16), 'common', 'Number of pairs of each type.');

export const samplingOptions = { ...engineSamplingOptions, ...translatedOptions, batchSize };
export const backgroundOptions = {
  backgroundImages: option(
    path('a folder').optional(),
    'advanced',
    'For background compensation: folder of good images whose backgrounds the pairs get.',
    { placeholder: 'dir', fallback: "the category's good images, where a job has a dataset" },
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
    'Indices of the pairs of the seed.',
  ),
});

/** The options with what they leave out from the preset that they name. */
export function withPreset<T extends { preset?: keyof typeof PRESETS | undefined }>(options: T): T {
  const preset: object = options.preset === undefined ? {} : PRESETS[options.preset];
  return { ...preset, ...given(options) } as T;
}

/** Options of training. */
import { z } from 'zod';
import { above, flag, integer, oneOf, path, real, text } from './check.js';
import { fits } from './names.js';
import { option } from './option.js';
import { ofBase, stableDiffusion } from './stable-diffusion.js';
import { typeName } from './type-name.js';

const paper = stableDiffusion.training;

export const seed = option(integer(0).default(0), 'common', 'Seed of everything that is random.');
export const type = option(typeName(), 'common', 'Defect type: the name of its folder.', { placeholder: 'name' });

/** How many of a type's images train. */
export const trainImages = () =>
  z
    .union([integer(1), z.string()], 'all, N, a/b or a/b@k')
    .refine(
      (value) => typeof value === 'number' || /^(all|[1-9]\d*(\/[1-9]\d*)?(@[1-9]\d*)?)$/.test(value),
      'all, N, a/b or a/b@k',
    );

/** Where the foregrounds come from that background compensation leaves out. */
export const foregroundOptions = {
  foregroundMasks: option(
    path("a folder, or 'none'").optional(),
    'advanced',
    "For background compensation: folder of foreground masks named like the images, or 'none' where all of an image is background.",
    { placeholder: 'dir', fallback: 'a mask model finds the foreground' },
  ),
  foregroundWeights: option(path('a file').optional(), 'advanced', 'U2-Net weights that find the foreground.', {
    placeholder: 'file',
    fallback: 'the embedded ones',
  }),
};
export const foregroundSchema = z.strictObject(foregroundOptions);

/** Settings that the engine takes as they are. */
export const engineTrainingOptions = {
  rank: option(integer(1, 320).default(32), 'advanced', 'Rank of the LoRA layers.'),
  learningRate: option(above(0, 1).optional(), 'advanced', 'Learning rate of AdamW.', {
    fallback: ofBase(paper.learningRate),
  }),
  warmupSteps: option(integer(0).default(0), 'advanced', 'Steps over which the learning rate rises from zero.'),
  weightDecay: option(real(0, 1).default(0.01), 'api', 'Weight decay of AdamW.'),
  maxGradNorm: option(real(0, 1e6).default(1), 'api', 'Norm to which the gradients are clipped.'),
  timestepPower: option(
    real(1, 10).optional(),
    'advanced',
    'Timesteps t are drawn with density p t^(p-1): 1 is uniform, more trains more on high noise.',
    { fallback: ofBase(paper.timestepPower) },
  ),
  defectLossShare: option(
    real(0, 1).optional(),
    'advanced',
    'Smallest share of the loss that comes from the pixels of the defect. With 0 its area decides, as in the paper.',
    { fallback: ofBase(paper.defectLossShare) },
  ),
  initialAdapter: option(
    path("a file, or 'none'").optional(),
    'advanced',
    "Adapter to start from, or 'none' for a new one.",
    { placeholder: 'file', fallback: "the base's initial_adapter.safetensors, if it has one" },
  ),
  batchSize: option(integer(1, 1024).optional(), 'advanced', 'Pairs in a training batch.', {
    fallback: ofBase(paper.batchSize),
  }),
  gradientAccumulation: option(integer(1, 1024).default(1), 'advanced', 'Batches whose gradients make one step.'),
  partFill: option(
    oneOf(['grey', 'black', 'auto']).default('grey'),
    'advanced',
    'Background of the anomaly part. auto takes black where the defect stands out more against black than against grey.',
  ),
  flips: option(flag().default(true), 'advanced', 'Flip training images at random, horizontally and vertically.'),
  branches: option(
    oneOf(['joint', 'separate', 'one']).default('joint'),
    'api',
    "What is learned: both branches joined by SAIM, both without SAIM, or the whole image alone. The last two are the paper's ablations.",
  ),
  background: option(
    oneOf(['off', 'add', 'interpolate']).default('off'),
    'advanced',
    "Background compensation: off, the paper's form (add), or that of the published checkpoints (interpolate).",
  ),
  backgroundScaled: option(
    flag().default(true),
    'advanced',
    "Scale background latents by the autoencoder's factor; the published code does not.",
  ),
  trainTextEncoder: option(flag().default(true), 'advanced', 'Train the text encoder.'),
  gradientCheckpointing: option(
    flag().default(false),
    'advanced',
    'Use less memory for about a third more time (arXiv 1604.06174).',
  ),
  globalPrompt: option(
    text().optional(),
    'advanced',
    'Prompt of the whole image. {category} and {type} stand for the names of the dataset.',
    { placeholder: 'text', fallback: ofBase(`'${paper.globalPrompt}'`) },
  ),
  anomalyPrompt: option(text().optional(), 'advanced', 'Prompt of the anomaly part.', {
    placeholder: 'text',
    fallback: ofBase(`'${paper.anomalyPrompt}'`),
  }),
  seed,
};

export const trainingOptions = {
  ...engineTrainingOptions,
  resolution: option(integer(8, 4096).optional(), 'common', 'Pixels along each side of the square images.', {
    fallback: ofBase(paper.resolution),
  }),
  fit: option(
    oneOf(fits).default('crop'),
    'advanced',
    'How images become squares: crop takes the square around the defect, stretch squeezes the whole image.',
  ),
  ...foregroundOptions,
  trainImages: option(
    trainImages().default('all'),
    'advanced',
    'Images of the type that train: all, N or a/b of them (the first by name); a/b@k is the k-th such part.',
    { placeholder: 'n' },
  ),
};
export const trainerSchema = z.strictObject({ type, ...trainingOptions });

/** Adapters are recognised by their ending when they are read. */
export const adapterFile = () => text().regex(/\.safetensors$/, 'a file name that ends in .safetensors');

export const trainSteps = option(integer(1).optional(), 'common', 'Training steps.', {
  fallback: ofBase(paper.steps),
});
export const runFileOptions = {
  checkpointEvery: option(integer(1).default(500), 'advanced', 'Training steps between checkpoints.'),
  resume: option(
    flag().default(false),
    'common',
    'Continue what an earlier call began; without it, a folder that holds results is an error.',
  ),
};
export const trainSchema = z.strictObject({
  steps: trainSteps,
  out: option(
    adapterFile().optional(),
    'api',
    'Adapter file of the run; checkpoints and the log are written beside it.',
  ),
  ...runFileOptions,
});

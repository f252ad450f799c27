/** Declares the options of training. */
import { z } from 'zod';
import { above, flag, integer, oneOf, path, real, text } from './check.js';
import { fits } from './names.js';
import { option } from './option.js';
import { embeddedModel, ofBase, stableDiffusion } from './stable-diffusion.js';
import { learnedTypeName, typeName } from './type-name.js';

const paper = stableDiffusion.training;

export const seed = option(integer(0).default(0), 'common', 'Set the seed of everything that is random.');
export const type = option(typeName(), 'common', 'Use this defect type, which is the name of its folder.', {
  valueName: 'name',
});

/** Returns the schema of a list of types that one adapter learns. */
const learnedTypes = () =>
  z
    .array(learnedTypeName(), 'a list of types')
    .min(1, 'at least one type')
    .refine((names) => new Set(names).size === names.length, 'each type once');
export const types = option(
  learnedTypes(),
  'api',
  'Learn these defect types. `good` stands for photographs without a defect.',
);

/** Returns the schema of the side of a window. */
export const windowSide = () => integer(8, 16384);

/** Returns the option of windows. In `run` it is one of the many that are rarely given. */
export const windowOption = (tier: 'common' | 'advanced') =>
  option(
    z.union([oneOf(['auto', 'off']), windowSide()], 'auto, off or an integer 8..16384').default('auto'),
    tier,
    'Train on square windows with this many pixels of the photograph along each side. off uses whole images, as in the paper. auto decides by the sizes of photographs and defects.',
    { valueName: 'n' },
  );

/** Returns the schema that selects the training images of a type. */
export const trainImages = () =>
  z
    .union([integer(1), z.string()], 'all, N, a/b or a/b@k')
    .refine(
      (value) => typeof value === 'number' || /^(all|[1-9]\d*(\/[1-9]\d*)?(@[1-9]\d*)?)$/.test(value),
      'all, N, a/b or a/b@k',
    );

/** Background compensation leaves out the foregrounds, which these options find. */
export const foregroundOptions = {
  foregroundMasks: option(
    path("a folder, or 'none'").optional(),
    'advanced',
    "Take the foreground masks of background compensation and of automatic places from this folder. They are named like the images. With 'none', all of an image is background.",
    { valueName: 'dir', fallback: 'a mask model finds the foreground' },
  ),
  foregroundWeights: option(path('a file').optional(), 'advanced', 'Find the foreground with these U2-Net weights.', {
    valueName: 'file',
    fallback: 'u2net if it is installed, else u2netp, else the embedded weights',
  }),
};

/** The engine takes these settings unchanged. */
export const engineTrainingOptions = {
  rank: option(integer(1, 320).default(32), 'advanced', 'Set the rank of the LoRA layers.'),
  learningRate: option(above(0, 1).optional(), 'advanced', 'Set the learning rate of AdamW.', {
    fallback: ofBase(paper.learningRate),
  }),
  warmupSteps: option(integer(0).default(0), 'advanced', 'Raise the learning rate from zero over this many steps.'),
  weightDecay: option(real(0, 1).default(0.01), 'api', 'Set the weight decay of AdamW.'),
  maxGradNorm: option(real(0, 1e6).default(1), 'api', 'Clip the gradients to this norm.'),
  timestepPower: option(
    real(1, 10).optional(),
    'advanced',
    'Draw timesteps t with density p t^(p-1). p = 1 is uniform. A larger p trains more on high noise.',
    { fallback: ofBase(paper.timestepPower) },
  ),
  defectLossShare: option(
    real(0, 1).optional(),
    'advanced',
    'Let the pixels of the defect make at least this share of the loss. With 0, their share follows from their area, as in the paper.',
    { fallback: ofBase(paper.defectLossShare) },
  ),
  initialAdapter: option(
    path("a file, or 'none'").optional(),
    'advanced',
    "Start from this adapter, or from a new one with 'none'.",
    { valueName: 'file', fallback: "the base's initial_adapter.safetensors, if it has one" },
  ),
  batchSize: option(integer(1, 1024).optional(), 'advanced', 'Train with this many pairs in a batch.', {
    fallback: ofBase(paper.batchSize),
  }),
  gradientAccumulation: option(
    integer(1, 1024).default(1),
    'advanced',
    'Add the gradients of this many batches for one step.',
  ),
  partFill: option(
    oneOf(['grey', 'black', 'auto']).default('grey'),
    'advanced',
    'Give the anomaly part this background. auto takes black if the defect stands out more against black than against grey.',
  ),
  flips: option(flag().default(true), 'advanced', 'Flip training images at random, horizontally and vertically.'),
  recipe: option(
    oneOf(['both', 'noise', 'place']).default('both'),
    'advanced',
    'Let an adapter of an inpainting base suit this recipe: noise learns to draw whole windows, and place to draw inside of places. Other bases learn the same for both.',
  ),
  branches: option(
    oneOf(['joint', 'separate', 'one']).default('joint'),
    'api',
    "Train both branches joined by SAIM, both without SAIM, or the whole image alone. The last two are the paper's ablations.",
  ),
  background: option(
    oneOf(['off', 'add', 'interpolate']).default('off'),
    'advanced',
    "Train with background compensation. add is the paper's form, and interpolate is that of the published checkpoints.",
  ),
  backgroundScaled: option(
    flag().default(true),
    'advanced',
    "Scale background latents by the autoencoder's factor. The published code does not scale them.",
  ),
  trainTextEncoder: option(flag().default(true), 'advanced', 'Train the text encoder.'),
  gradientCheckpointing: option(
    flag().default(false),
    'advanced',
    'Use less memory, but about a third more time (arXiv 1604.06174).',
  ),
  globalPrompt: option(
    text().optional(),
    'advanced',
    'Set the prompt of the whole image. {category} and {type} stand for the names of the dataset. With several types, {type} is added where it is missing.',
    { valueName: 'text', fallback: ofBase(`'${paper.globalPrompt}'`) },
  ),
  anomalyPrompt: option(text().optional(), 'advanced', 'Set the prompt of the anomaly part.', {
    valueName: 'text',
    fallback: ofBase(`'${paper.anomalyPrompt}'`),
  }),
  seed,
};

export const trainingOptions = {
  ...engineTrainingOptions,
  resolution: option(
    integer(8, 4096).optional(),
    'common',
    'Use square images with this many pixels along each side.',
    {
      fallback: ofBase(paper.resolution, embeddedModel.training.resolution),
    },
  ),
  fit: option(
    oneOf(fits).default('crop'),
    'advanced',
    'Make whole images square by this method. crop takes the square around the defect. stretch changes the shape of the whole image.',
  ),
  window: windowOption('common'),
  ...foregroundOptions,
  trainImages: option(
    trainImages().default('all'),
    'advanced',
    'Train on these images of the type: all, the first N, or the first a of b equal parts by name. a/b@k begins with the k-th part, and the first follows the last. Photographs of one part stay together.',
    { valueName: 'n' },
  ),
};
export const trainerSchema = z.strictObject({ types, ...trainingOptions });

/** Requires the ending by which adapters are recognised when they are read. */
export const adapterFile = () => text().regex(/\.safetensors$/, 'a file name that ends in .safetensors');

/** Returns the option of the number of training steps. In `evaluate` it is one of the many that are rarely given. */
export const trainStepsOption = (tier: 'common' | 'advanced') =>
  option(integer(1).optional(), tier, 'Train for this many steps.', {
    fallback: ofBase(paper.steps, embeddedModel.training.steps),
  });
export const trainSteps = trainStepsOption('common');
export const runFileOptions = {
  checkpointEvery: option(integer(1).default(500), 'advanced', 'Write a checkpoint after every n training steps.'),
  resume: option(
    flag().default(false),
    'common',
    'Continue the work of an earlier call. Without this option, a folder that holds results is an error.',
  ),
};
export const trainSchema = z.strictObject({
  steps: trainSteps,
  out: option(
    adapterFile().optional(),
    'api',
    'Write the adapter to this file, and checkpoints and the log beside it.',
  ),
  ...runFileOptions,
});

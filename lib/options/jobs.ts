/** The options of each job, which are those of its command, its config file and its request. */
import { z } from 'zod';
import { baseOptions, convertAdapterOptions, deviceOptions, sourceOptions } from './base.js';
import { flag, integer, oneOf, path } from './check.js';
import { evaluatorOptions } from './evaluation.js';
import { keepBest, maskOptions, maskThreshold, maskWeights, partFill } from './masks.js';
import { ablations, recipes } from './names.js';
import { option, pick } from './option.js';
import { backgroundOptions, count, samplingOptions } from './sampling.js';
import { adapterFile, runFileOptions, trainingOptions, trainSteps, type } from './training.js';
import { typeName } from './type-name.js';

const folder = (doc: string, more = {}) => option(path('a folder'), 'common', doc, { placeholder: 'dir', ...more });

const data = folder("Category folder in MVTec AD's layout.");
const { resume, checkpointEvery } = runFileOptions;

export const learnOptions = {
  data,
  type,
  out: option(adapterFile(), 'common', 'Adapter to write.', { placeholder: 'file.safetensors' }),
  steps: trainSteps,
  ...baseOptions,
  ...trainingOptions,
  checkpointEvery,
  previewEvery: option(integer(0).default(0), 'advanced', 'Training steps between previews; 0 is none.'),
  resume,
};
export const learnSchema = z.strictObject(learnOptions);

export const generateOptions = {
  adapter: option(path('a file'), 'common', 'Adapter to sample from: of this package or of the published code.', {
    placeholder: 'file',
  }),
  out: folder('Folder for the generated dataset.'),
  count,
  type: option(typeName().optional(), 'advanced', 'Defect type of the pairs.', {
    placeholder: 'name',
    fallback: "the adapter's, or anomaly where it names none",
  }),
  ...baseOptions,
  ...samplingOptions,
  ...backgroundOptions,
  ...maskOptions,
  keepBest,
  resume,
};
export const generateSchema = z.strictObject(generateOptions);

export const maskJobOptions = {
  parts: folder('Folder of part images.'),
  out: folder('Folder for the masks.'),
  mask: option(oneOf(['u2net', 'threshold']).default('u2net'), 'common', 'How masks are made.'),
  maskWeights,
  maskThreshold,
  partFill,
  ...deviceOptions,
};
export const maskSchema = z.strictObject(maskJobOptions);

const recipe = option(
  oneOf(recipes).default('noise'),
  'common',
  'How pairs come about: noise trains the model and samples from it; augment moves and pastes the real defects, without a model.',
);

export const campaignOptions = {
  data: folder("Category folder in MVTec AD's layout, or a folder of such."),
  type: option(typeName().optional(), 'common', 'Defect type.', { placeholder: 'name', fallback: 'every one' }),
  out: option(path('a folder').optional(), 'common', 'Folder for everything.', {
    placeholder: 'dir',
    fallback: 'out/<name of the dataset>',
  }),
  recipe,
  count,
  trainSteps,
  resume,
  ...pick(baseOptions, ['base', 'baseConfig', 'predictionType', 'lora', 'device', 'dtype']),
  ...pick(trainingOptions, ['resolution', 'fit', 'rank', 'learningRate', 'partFill', 'background', 'foregroundMasks']),
  ...pick(trainingOptions, ['gradientCheckpointing', 'globalPrompt', 'anomalyPrompt', 'seed']),
  trainBatchSize: trainingOptions.batchSize,
  ...pick(samplingOptions, ['steps', 'guidanceScale', 'scheduler', 'preset', 'batchSize']),
  ...pick(maskOptions, ['mask', 'maskWeights']),
  keepBest,
};
export const campaignSchema = z.strictObject(campaignOptions);

export const evaluateOptions = {
  data,
  out: folder('Folder for the results.'),
  ...evaluatorOptions,
  recipes: option(
    z.array(oneOf(recipes), `a list of ${recipes.join(', ')}`).default([]),
    'common',
    'Recipes whose pairs are made from the images that train, and judged.',
    { placeholder: 'names' },
  ),
  ablations: option(
    z.array(oneOf(ablations), `a list of ${ablations.join(', ')}`).default([]),
    'api',
    'Variants of noise without one part of the method, made and judged like recipes; for developers.',
  ),
  count: option(integer(1).default(150), 'common', 'Number of pairs of each type that a recipe makes.'),
  freshPairs: option(
    flag().default(false),
    'advanced',
    'Make other pairs for each seed, so that the deviation includes that of the pairs.',
  ),
  trainSteps,
  ...pick(baseOptions, ['base', 'baseConfig', 'predictionType', 'lora', 'dtype']),
};
export const evaluateSchema = z.strictObject(evaluateOptions);

export const demoOptions = {
  out: option(path('a folder').default('out/demo'), 'common', 'Folder for everything.', {
    placeholder: 'dir',
  }),
};
export const demoSchema = z.strictObject(demoOptions);

export const convertJobOptions = {
  input: option(path('a path'), 'common', 'Adapter, or with --to base a checkpoint file.', {
    placeholder: 'path',
  }),
  out: option(path('a path'), 'common', 'What to write. It must not exist.', { placeholder: 'path' }),
  to: option(
    oneOf(['dualanodiff', 'published', 'base']).default('dualanodiff'),
    'common',
    'Adapter of this package, adapter for the published scripts (.bin or .safetensors), or base folder.',
  ),
  ...pick(convertAdapterOptions, ['dtype', 'saimRank']),
  ...sourceOptions,
};
export const convertSchema = z.strictObject(convertJobOptions);

/** The jobs that run anywhere: in a process, behind HTTP, off a queue. */
export const jobOptions = {
  learn: learnOptions,
  generate: generateOptions,
  mask: maskJobOptions,
  evaluate: evaluateOptions,
  campaign: campaignOptions,
};
export const jobKinds = ['learn', 'generate', 'mask', 'evaluate', 'campaign'] as const;
export type JobKind = (typeof jobKinds)[number];

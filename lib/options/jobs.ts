/** Declares the options of each job. They apply to its command, its config file and its request to a service. */
import { z } from 'zod';
import { baseOptions, convertAdapterOptions, deviceOptions, sourceOptions } from './base.js';
import { flag, integer, oneOf, path } from './check.js';
import { checkDataOptions } from './check-data.js';
import { detectOptions, fitOptions } from './detect.js';
import { evaluatorOptions } from './evaluation.js';
import { exportOptions } from './export.js';
import { keepBest, maskOptions, maskThreshold, maskWeights, partFill, refuseUnreadMaskOptions } from './masks.js';
import { ablations, dataFormats, recipes } from './names.js';
import { option, pick } from './option.js';
import { placeOptions } from './place.js';
import { backgroundOptions, count, MAX_PAIRS, range, samplingOptions } from './sampling.js';
import {
  adapterFile,
  runFileOptions,
  trainingOptions,
  trainSteps,
  trainStepsOption,
  windowOption,
} from './training.js';
import { typeName } from './type-name.js';

const folder = (doc: string, more = {}) => option(path('a folder'), 'common', doc, { valueName: 'dir', ...more });

const data = option(
  path('a folder or file'),
  'common',
  "Read the images of this category: a folder in MVTec AD's layout, or a file or folder of COCO, labelme, YOLO or another format.",
  { valueName: 'path' },
);
const { resume, checkpointEvery } = runFileOptions;

export const learnOptions = {
  data,
  type: option(
    path('names of types'),
    'common',
    'Learn this defect type, which is the name of its folder, or several with commas, or all. good adds photographs without a defect.',
    { valueName: 'names' },
  ),
  out: option(adapterFile(), 'common', 'Write the adapter to this file.', { valueName: 'file.safetensors' }),
  steps: trainSteps,
  ...baseOptions,
  ...trainingOptions,
  checkpointEvery,
  previewEvery: option(
    integer(0).default(0),
    'advanced',
    'Write a preview after every n training steps. 0 writes none.',
  ),
  resume,
};
export const learnSchema = z.strictObject(learnOptions);

export const generateOptions = {
  adapter: option(
    path('a file'),
    'common',
    'Sample from this adapter, which this package or the published code has written.',
    {
      valueName: 'file',
    },
  ),
  out: folder('Write the generated dataset to this folder.'),
  count,
  range,
  ...samplingOptions,
  ...baseOptions,
  ...backgroundOptions,
  ...maskOptions,
  keepBest,
  resume,
};
export const generateSchema = z.strictObject(generateOptions).check(refuseUnreadMaskOptions);

export const placeJobOptions = {
  adapter: generateOptions.adapter,
  onto: option(
    path('a folder or file'),
    'common',
    'Place defects in these good photographs: a file, a folder, or the good images of a dataset in any format.',
    { valueName: 'path' },
  ),
  out: generateOptions.out,
  ...placeOptions,
  range,
  ...baseOptions,
  resume,
};
export const placeJobSchema = z.strictObject(placeJobOptions);

export const maskJobOptions = {
  parts: folder('Make masks of the part images in this folder.'),
  out: folder('Write the masks to this folder.'),
  mask: option(oneOf(['u2net', 'threshold']).default('u2net'), 'common', 'Make masks by this method.'),
  maskWeights,
  maskThreshold,
  partFill,
  ...deviceOptions,
};
export const maskSchema = z.strictObject(maskJobOptions).check(refuseUnreadMaskOptions);

const recipe = option(
  oneOf(recipes).default('noise'),
  'common',
  'Make pairs by this recipe. noise trains the model and samples from it. place trains it and draws defects into the good photographs. augment moves and pastes the real defects, without a model.',
);

export const campaignOptions = {
  data: option(
    path('a folder or file'),
    'common',
    "Read the images of this category, or of all categories in this folder. A category is a folder in MVTec AD's layout, or a file or folder of COCO, labelme, YOLO or another format.",
    { valueName: 'path' },
  ),
  type: option(typeName().optional(), 'common', 'Make pairs of this defect type.', {
    valueName: 'name',
    fallback: 'every one',
  }),
  out: option(path('a folder').optional(), 'common', 'Write all results to this folder.', {
    valueName: 'dir',
    fallback: 'out/<name of the dataset>',
  }),
  recipe,
  count,
  trainSteps,
  resume,
  ...pick(baseOptions, ['base', 'predictionType', 'lora', 'device', 'dtype']),
  ...pick(trainingOptions, [
    'resolution',
    'window',
    'fit',
    'rank',
    'learningRate',
    'partFill',
    'background',
    'foregroundMasks',
  ]),
  ...pick(trainingOptions, ['gradientCheckpointing', 'globalPrompt', 'anomalyPrompt', 'seed']),
  window: windowOption('advanced'),
  trainBatchSize: trainingOptions.batchSize,
  ...pick(samplingOptions, ['steps', 'guidanceScale', 'scheduler', 'preset', 'batchSize']),
  ...pick(maskOptions, ['mask', 'maskWeights']),
  keepBest,
};
export const campaignSchema = z.strictObject(campaignOptions).check(refuseUnreadMaskOptions);

export const evaluateOptions = {
  data,
  out: folder('Write the results to this folder.'),
  ...evaluatorOptions,
  recipes: option(
    z.array(oneOf(recipes), `a list of ${recipes.join(', ')}`).default([]),
    'common',
    'Make pairs by these recipes from the training images, and evaluate them: noise, place, augment, or several with commas.',
    { valueName: 'names' },
  ),
  ablations: option(
    z.array(oneOf(ablations), `a list of ${ablations.join(', ')}`).default([]),
    'api',
    'Make and evaluate pairs by these variants of noise, each of which lacks one part of the method. They are for developers.',
  ),
  count: option(integer(1, MAX_PAIRS).default(150), 'common', 'Make this many pairs of each type by each recipe.'),
  freshPairs: option(
    flag().default(false),
    'advanced',
    'Make new pairs for each seed, so that the deviation of the results includes that of the pairs.',
  ),
  trainSteps: trainStepsOption('advanced'),
  ...pick(baseOptions, ['base', 'baseConfig', 'predictionType', 'lora', 'dtype']),
};
export const evaluateSchema = z.strictObject(evaluateOptions);

export const importOptions = {
  from: option(path('a folder or file'), 'common', 'Read this file or folder of annotated photographs.', {
    valueName: 'path',
  }),
  format: option(oneOf(dataFormats).optional(), 'common', 'Read it in this format.', {
    fallback: 'found from the content',
  }),
  out: folder("Write the category in MVTec AD's layout to this folder, which must not exist or be empty."),
};
export const importSchema = z.strictObject(importOptions);

export const demoOptions = {
  out: option(path('a folder').default('out/demo'), 'common', 'Write all results to this folder.', {
    valueName: 'dir',
  }),
};
export const demoSchema = z.strictObject(demoOptions);

export const convertJobOptions = {
  input: option(path('a path'), 'common', 'Convert this adapter. With --to base, convert this checkpoint file.', {
    valueName: 'path',
  }),
  out: option(path('a path'), 'common', 'Write the result to this path, which must not exist.', {
    valueName: 'path',
  }),
  to: option(
    oneOf(['dualanodiff', 'published', 'base']).default('dualanodiff'),
    'common',
    'Write an adapter of this package, an adapter for the published scripts (.bin or .safetensors), or the folder of a base.',
  ),
  ...pick(convertAdapterOptions, ['dtype', 'saimRank']),
  ...sourceOptions,
};
export const convertSchema = z.strictObject(convertJobOptions);

/** These jobs run in a process, behind HTTP, or from a queue. */
export const jobOptions = {
  learn: learnOptions,
  generate: generateOptions,
  place: placeJobOptions,
  mask: maskJobOptions,
  evaluate: evaluateOptions,
  fit: fitOptions,
  detect: detectOptions,
  campaign: campaignOptions,
  import: importOptions,
  check: checkDataOptions,
  export: exportOptions,
};
export const jobKinds = [
  ...(['learn', 'generate', 'place', 'mask', 'evaluate', 'fit', 'detect', 'campaign'] as const),
  ...(['import', 'check', 'export'] as const),
] as const;
export type JobKind = (typeof jobKinds)[number];

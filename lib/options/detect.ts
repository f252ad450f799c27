/** Declares the options of detectors that are fitted and used outside of an evaluation. */
import { z } from 'zod';
import { deviceOptions } from './base.js';
import { oneOf, path } from './check.js';
import { evaluatorOptions } from './evaluation.js';
import { backbones, defectSources, detectors } from './names.js';
import { option, pick } from './option.js';
import { runFileOptions, trainImages } from './training.js';

export const detectorName = option(
  oneOf(detectors).default('unet'),
  'common',
  `Fit this detector: ${detectors.join(', ')}.`,
);

export const detectorOptions = {
  defects: option(
    oneOf(defectSources).optional(),
    'advanced',
    'Learn from these defects: pairs takes the images of defects as they are, crop-paste pastes their defects onto good images, draem makes up defects, and none learns from good images alone.',
    { fallback: 'pairs, or none for a detector that needs no defects and is given no generated pairs' },
  ),
  ...pick(evaluatorOptions, ['protocol', 'resolution', 'tile', 'iterations', 'learningRate', 'textures']),
  backbone: option(
    oneOf(backbones).optional(),
    'advanced',
    'Let a detector that compares features take them from this network.',
    { fallback: "the detector's own" },
  ),
  ...pick(evaluatorOptions, ['backboneWeights', 'seed']),
  ...deviceOptions,
};
export const detectorSchema = z.strictObject(detectorOptions);

export const fitOptions = {
  data: option(
    path('a folder'),
    'common',
    "Fit the detector on the images of this category folder in MVTec AD's layout: on train/good, and on the defects if it learns from them.",
    { valueName: 'dir' },
  ),
  out: option(path('a file'), 'common', 'Write the detector to this file.', { valueName: 'file.safetensors' }),
  detector: detectorName,
  pairs: option(
    path('a folder').optional(),
    'common',
    'Learn from the generated pairs in this folder, too, which run, sample or place has written. Folders with + between them count together. Detectors that learn from good images alone take none.',
    { valueName: 'dir', fallback: 'no generated pairs' },
  ),
  trainImages: option(
    trainImages().default('all'),
    'advanced',
    'Learn from these images of each type: all, the first N, or the first a of b equal parts by name.',
    { valueName: 'n' },
  ),
  checkpointEvery: runFileOptions.checkpointEvery,
  ...detectorOptions,
};
export const fitSchema = z.strictObject(fitOptions);

export const detectOptions = {
  detector: option(path('a file'), 'common', 'Score images with this detector, which fit has written.', {
    valueName: 'file',
  }),
  images: option(
    path('a folder or file'),
    'common',
    'Score this image, or all images in this folder and its subfolders.',
    { valueName: 'path' },
  ),
  out: option(path('a folder'), 'common', 'Write maps and scores to this folder.', { valueName: 'dir' }),
  ...deviceOptions,
};
export const detectSchema = z.strictObject(detectOptions);

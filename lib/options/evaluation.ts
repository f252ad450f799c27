/** Options of evaluations. */
import { z } from 'zod';
import { deviceOptions } from './base.js';
import { above, flag, integer, oneOf, path } from './check.js';
import { baselines, protocols } from './names.js';
import { option } from './option.js';
import { runFileOptions, seed, trainImages } from './training.js';

const weights = (doc: string) => option(path('a file').optional(), 'advanced', doc, { placeholder: 'file' });

export const evaluatorOptions = {
  protocol: option(
    oneOf(protocols).default('small'),
    'common',
    'paper is the published evaluation; small is the same with fewer pixels, narrower networks and fewer iterations.',
  ),
  pairs: option(
    z
      .record(
        z.string().regex(/^[\w.-]+$/, 'a name of letters, digits, _, . and -'),
        z.union([z.string(), z.array(z.string()).min(1, 'at least one folder')], 'a folder, or a list of folders'),
        'folders by name',
      )
      .default({}),
    'common',
    'Folders of generated pairs, each a row of the table: outputs of sample or run. Several folders of one name are for the seeds, one each.',
    { placeholder: '[name=]dir', reader: 'named-folder', fallback: 'none' },
  ),
  withReal: option(
    flag().default(true),
    'advanced',
    'Add a row for each set of pairs together with the real training images.',
  ),
  compare: option(
    z.array(oneOf(baselines), 'a list').default([...baselines]),
    'advanced',
    'Baselines to compare with.',
    {
      placeholder: 'names',
    },
  ),
  seeds: option(integer(1, 1000).default(3), 'common', 'Runs of each row, with the seeds seed, seed + 1 and so on.'),
  seed,
  trainImages: option(
    trainImages().optional(),
    'advanced',
    'Images of each type that train: all, N or a/b of them (the first by name); a/b@k is the k-th such part. With few images, judge more than one split.',
    { placeholder: 'n', fallback: '1/3, or all with testData' },
  ),
  testData: option(path('a folder').optional(), 'common', 'Category folder whose test images are all tested on.', {
    placeholder: 'dir',
    fallback: 'the images of the dataset that do not train',
  }),
  textures: option(path('a folder').optional(), 'advanced', 'Folder of images for the textures of draem.', {
    placeholder: 'dir',
    fallback: 'noise and changed good images',
  }),
  iterations: option(integer(1).optional(), 'advanced', 'Training steps of a detector.', {
    fallback: "the protocol's",
  }),
  learningRate: option(above(0, 1).optional(), 'advanced', 'Learning rate of a detector before it decays.', {
    fallback: "the protocol's",
  }),
  classifier: option(flag().default(true), 'advanced', 'Train a classifier of the types.'),
  classifierIterations: option(integer(1).optional(), 'advanced', 'Training steps of a classifier.', {
    fallback: "the protocol's",
  }),
  classifierWeights: option(
    path('a file').optional(),
    'advanced',
    "File of torchvision's ResNet-18 that classifiers start from, with the protocol paper.",
    { placeholder: 'file', fallback: 'random weights' },
  ),
  resolution: option(
    integer(32, 4096)
      .refine((value) => value % 32 === 0, 'a multiple of 32')
      .optional(),
    'advanced',
    'Pixels along each side of the images that detectors see.',
    { fallback: "the protocol's" },
  ),
  inceptionWeights: weights("File of torchvision's Inception v3, for the Inception Score of generated pairs."),
  lpipsBackbone: weights(
    "File of torchvision's AlexNet, VGG-16 or SqueezeNet 1.1, for the IC-LPIPS of generated pairs.",
  ),
  lpipsLinear: weights("File of LPIPS's own layers for that network."),
  concurrency: option(integer(1, 64).optional(), 'advanced', 'Runs at a time, which share the cores.', {
    fallback: 'with small on a CPU the number of cores, at most 8; else 1',
  }),
  checkpointEvery: runFileOptions.checkpointEvery,
  ...deviceOptions,
};
export const evaluatorSchema = z.strictObject(evaluatorOptions);

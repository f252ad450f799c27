/** Declares the options of evaluations. */
import { z } from 'zod';
import { deviceOptions } from './base.js';
import { above, flag, integer, oneOf, path } from './check.js';
import { backbones, baselines, detectors, protocols } from './names.js';
import { option } from './option.js';
import { runFileOptions, seed, trainImages } from './training.js';

const weights = (doc: string) => option(path('a file').optional(), 'advanced', doc, { valueName: 'file' });

export const evaluatorOptions = {
  protocol: option(
    oneOf(protocols).default('small'),
    'advanced',
    'Follow this protocol. paper is the published evaluation. small has fewer pixels, narrower networks and fewer iterations.',
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
    'Evaluate these folders of generated pairs, which run, sample or place has written. Each name makes a row of the table. Folders with + between them count together. Several folders of one name belong to the seeds, one each.',
    { valueName: '[name=]dir', reader: 'named-folder', fallback: 'none' },
  ),
  maps: option(
    z
      .record(
        z.string().regex(/^[\w.-]+$/, 'a name of letters, digits, _, . and -'),
        z.union([z.string(), z.array(z.string()).min(1, 'at least one folder')], 'a folder, or a list of folders'),
        'folders by name',
      )
      .default({}),
    'advanced',
    'Score maps that another program has made of the test images, as a row of this name. The folder holds <type>/<name> and good/<name> as .png, .tiff or .npy, and scores.csv (image,score) if images have scores of their own. Several folders of one name belong to the seeds, one each.',
    { valueName: '[name=]dir', reader: 'named-folder', fallback: 'none' },
  ),
  withReal: option(
    flag().default(true),
    'advanced',
    'Add a row for each set of pairs together with the real training images.',
  ),
  compare: option(
    z.array(oneOf(baselines), 'a list').default([...baselines]),
    'advanced',
    'Compare with these baselines.',
    {
      valueName: 'names',
    },
  ),
  detectors: option(
    z
      .array(oneOf(detectors), `a list of ${detectors.join(', ')}`)
      .min(1, 'at least one detector')
      .default(['unet']),
    'common',
    `Compare these detectors: ${detectors.join(', ')}, several with commas, or all. Each is fitted on every row that it can learn from. Detectors that need no defects have the row good only.`,
    { valueName: 'names' },
  ),
  backbone: option(
    oneOf(backbones).optional(),
    'advanced',
    'Let detectors that compare features take them from this network. Detectors that cannot use it keep their own. Generated pairs are compared with real images by it, too.',
    { fallback: "each detector's own; pairs are compared by mobilenet-v2 if it is installed" },
  ),
  backboneWeights: option(
    path('a file').optional(),
    'advanced',
    "Read the weights of the backbone from this file of torchvision's or timm's.",
    { valueName: 'file', fallback: 'the installed weights, see `weights list`' },
  ),
  seeds: option(
    integer(1, 1000).default(3),
    'common',
    'Repeat each row this many times, with the seeds seed, seed + 1 and so on.',
  ),
  seed,
  trainImages: option(
    trainImages().optional(),
    'advanced',
    'Train on these images of each type: all, the first N, or the first a of b equal parts by name. a/b@k begins with the k-th part, and the first follows the last: 2/3@1, 2/3@2 and 2/3@3 test every third once. Photographs of one part stay together.',
    { valueName: 'n', fallback: '1/3, or all with testData' },
  ),
  testData: option(path('a folder or file').optional(), 'common', 'Test on all test images of this category.', {
    valueName: 'path',
    fallback: 'the images of the dataset that are not trained on',
  }),
  textures: option(path('a folder').optional(), 'advanced', 'Take the textures of draem from this folder of images.', {
    valueName: 'dir',
    fallback: 'noise and changed good images',
  }),
  iterations: option(integer(1).optional(), 'advanced', 'Train a detector for this many steps.', {
    fallback: "the protocol's",
  }),
  learningRate: option(above(0, 1).optional(), 'advanced', 'Set the learning rate of a detector before it decays.', {
    fallback: "the protocol's",
  }),
  bestEpoch: option(
    flag().default(false),
    'advanced',
    'Report the round of unet that is best on the test images, as the published evaluation does, and not the last one. Such scores are too good. The tables say so.',
  ),
  classifier: option(flag().default(true), 'advanced', 'Train a classifier of the types.'),
  classifierIterations: option(integer(1).optional(), 'advanced', 'Train a classifier for this many steps.', {
    fallback: "the protocol's",
  }),
  classifierWeights: option(
    path('a file').optional(),
    'advanced',
    "With the protocol paper, start classifiers from this file of torchvision's ResNet-18.",
    { valueName: 'file', fallback: 'random weights' },
  ),
  resolution: option(
    integer(32, 4096)
      .refine((value) => value % 32 === 0, 'a multiple of 32')
      .optional(),
    'advanced',
    'Show detectors images with this many pixels along each side.',
    { fallback: "the protocol's" },
  ),
  tile: option(
    integer(32, 4096)
      .refine((value) => value % 32 === 0, 'a multiple of 32')
      .optional(),
    'common',
    'Show detectors photographs at their own scale, in tiles with this many pixels along each side. Maps of overlapping tiles are merged, and all scores are those of whole photographs.',
    { fallback: 'each image is stretched to one square' },
  ),
  shots: option(
    z
      .array(integer(1, 1000), 'a list of numbers')
      .min(1, 'at least one number')
      .refine((counts) => new Set(counts).size === counts.length, 'every number once')
      .optional(),
    'advanced',
    'Measure what few real photographs are worth: train on this many of each type, several with commas. Each seed draws its own, and recipes know no others.',
    { valueName: 'numbers', fallback: 'all training images' },
  ),
  inceptionWeights: weights(
    "Compute the Inception Score of generated pairs with this file of torchvision's Inception v3, and compare them with real images by it instead of the backbone: as KID, and to find copies.",
  ),
  lpipsBackbone: weights(
    "Compute the IC-LPIPS of generated pairs with this file of torchvision's AlexNet, VGG-16 or SqueezeNet 1.1.",
  ),
  lpipsLinear: weights("Use this file of LPIPS's own layers, which must belong to lpipsBackbone."),
  concurrency: option(
    integer(1, 64).optional(),
    'advanced',
    'Train this many networks at a time. They share the cores.',
    {
      fallback: 'the number of cores, at most 8, for small on a CPU; otherwise 1',
    },
  ),
  checkpointEvery: runFileOptions.checkpointEvery,
  ...deviceOptions,
};
export const evaluatorSchema = z.strictObject(evaluatorOptions);

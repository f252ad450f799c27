/** Declares the options that select the base model of a job, and its device. */
import { z } from 'zod';
import { oneOf, path, real } from './check.js';
import { option } from './option.js';

const file = (tier: 'common' | 'advanced', doc: string, more = {}) =>
  option(path('a file').optional(), tier, doc, { valueName: 'file', ...more });

export const deviceOptions = {
  device: option(
    z
      .string()
      .regex(/^(auto|cpu|cuda(:\d+)?)$/, 'auto, cpu, cuda or cuda:N')
      .default('auto'),
    'advanced',
    'Compute on this device: auto, cpu, cuda or cuda:N. auto takes a GPU if the machine has one that can be used.',
    { valueName: 'name' },
  ),
};

/** These options tell how to read a base that is one checkpoint file. */
export const sourceOptions = {
  baseConfig: option(
    path('a folder').optional(),
    'advanced',
    'Read the configuration of a checkpoint file from this diffusers folder.',
    { valueName: 'dir', fallback: 'derived from the shapes of its tensors' },
  ),
  predictionType: option(
    oneOf(['epsilon', 'v_prediction']).optional(),
    'advanced',
    'Set what the base predicts, if its files do not tell.',
  ),
};

/** These options decide how a base is loaded. */
export const loadOptions = {
  ...sourceOptions,
  lora: option(
    z
      .array(
        z.strictObject({ file: path('a file'), scale: real(-100, 100).default(1) }, 'an object { file, scale }'),
        'a list',
      )
      .default([]),
    'advanced',
    'Merge a LoRA that was made for the base into its weights, with a scale. It is a file, or the folder of one. May be repeated.',
    { valueName: 'file[=scale]', reader: 'file-with-scale' },
  ),
  taesd: file('advanced', 'Load this TAESD decoder, a file or folder, for previews and for the decoder taesd.'),
  ...deviceOptions,
  dtype: option(
    oneOf(['auto', 'float32', 'bfloat16', 'float16']).default('auto'),
    'advanced',
    'Load the base in this precision. auto takes bfloat16 on GPUs. It also takes bfloat16 on CPUs that compute in it, for bases as wide as Stable Diffusion.',
  ),
};
export const loadSchema = z.strictObject(loadOptions);

export const baseOptions = {
  base: option(
    path('a folder or file').optional(),
    'common',
    'Use this base model: a diffusers folder or one checkpoint file.',
    {
      valueName: 'path',
      fallback: 'the embedded model',
    },
  ),
  ...loadOptions,
};

const precision = () => oneOf(['float32', 'float16', 'bfloat16']).default('float32');
export const convertOptions = {
  dtype: option(precision(), 'common', 'Write the numbers of the new file in this precision.'),
};
export const convertCheckpointSchema = z.strictObject({ ...sourceOptions, ...convertOptions });
export const convertAdapterOptions = {
  ...convertOptions,
  format: option(
    oneOf(['dualanodiff', 'published']).default('dualanodiff'),
    'api',
    'Write the format of this package, or that of the published Python code.',
  ),
  saimRank: option(
    z.int('an integer 1..1280').min(1, 'an integer 1..1280').max(1280, 'an integer 1..1280').optional(),
    'common',
    'Store SAIM at this rank, for a smaller file.',
    { fallback: 'SAIM in full' },
  ),
};
export const convertAdapterSchema = z.strictObject(convertAdapterOptions);

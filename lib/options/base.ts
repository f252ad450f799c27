/** Options that say which base model a job works with, and on which device. */
import { z } from 'zod';
import { oneOf, path, real } from './check.js';
import { option } from './option.js';

const file = (tier: 'common' | 'advanced', doc: string, more = {}) =>
  option(path('a file').optional(), tier, doc, { placeholder: 'file', ...more });

export const deviceOptions = {
  device: option(
    z
      .string()
      .regex(/^(auto|cpu|cuda(:\d+)?)$/, 'auto, cpu, cuda or cuda:N')
      .default('auto'),
    'advanced',
    'Device that computes: auto, cpu, cuda or cuda:N.',
    { placeholder: 'name' },
  ),
};

/** How a base is read that is one checkpoint file. */
export const sourceOptions = {
  baseConfig: option(
    path('a folder').optional(),
    'advanced',
    'For a checkpoint file: a diffusers folder with its configuration files.',
    { placeholder: 'dir', fallback: 'read from the shapes of its tensors' },
  ),
  predictionType: option(
    oneOf(['epsilon', 'v_prediction']).optional(),
    'advanced',
    'What the base predicts, where its files do not say it.',
  ),
};

/** What a base is loaded with. */
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
    'LoRA made for the base, a file or the folder of one, merged into its weights with a scale. May be repeated.',
    { placeholder: 'file[=scale]', reader: 'file-with-scale' },
  ),
  taesd: file('advanced', 'TAESD decoder, a file or folder, for previews and for the decoder taesd.'),
  ...deviceOptions,
  dtype: option(
    oneOf(['auto', 'float32', 'bfloat16', 'float16']).default('auto'),
    'advanced',
    'Precision of the base. auto takes bfloat16 on GPUs, and on CPUs that compute in it for bases as wide as Stable Diffusion.',
  ),
};
export const loadSchema = z.strictObject(loadOptions);

export const baseOptions = {
  base: option(
    path('a folder or file').optional(),
    'common',
    'Base model: a diffusers folder or one checkpoint file.',
    {
      placeholder: 'path',
      fallback: 'the embedded model',
    },
  ),
  ...loadOptions,
};

const precision = () => oneOf(['float32', 'float16', 'bfloat16']).default('float32');
export const convertOptions = {
  dtype: option(precision(), 'common', 'Precision of the numbers in the new file.'),
};
export const convertCheckpointSchema = z.strictObject({ ...sourceOptions, ...convertOptions });
export const convertAdapterOptions = {
  ...convertOptions,
  format: option(
    oneOf(['dualanodiff', 'published']).default('dualanodiff'),
    'api',
    'Format of the new file: this package or the published Python code.',
  ),
  saimRank: option(
    z.int('an integer 1..1280').min(1, 'an integer 1..1280').max(1280, 'an integer 1..1280').optional(),
    'common',
    'Rank at which SAIM is stored, for a smaller file.',
    { fallback: 'SAIM in full' },
  ),
};
export const convertAdapterSchema = z.strictObject(convertAdapterOptions);

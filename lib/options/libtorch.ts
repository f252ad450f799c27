/** Options of installing libtorch. */
import { z } from 'zod';
import { flag, path } from './check.js';
import { option } from './option.js';

export const installOptions = {
  cpu: option(flag().default(false), 'common', 'Install the CPU libraries only, which is what happens without --cuda.'),
  cuda: option(flag().default(false), 'common', 'Install the CUDA libraries, too.'),
  from: option(
    path('a path').optional(),
    'common',
    'Folder with all wheels (nothing is downloaded), or one wheel or libtorch archive, as a file or an address.',
    { placeholder: 'path', fallback: 'pip downloads the wheels' },
  ),
  force: option(flag().default(false), 'common', 'Install again although it is there.'),
};
export const installSchema = z.strictObject(installOptions);

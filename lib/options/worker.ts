/** Declares the options of `worker`, some of which `serve` shares. */
import { z } from 'zod';
import { integer, path, real } from './check.js';
import { option } from './option.js';

export const redis = option(
  path('redis://HOST:PORT').optional(),
  'common',
  'Use the queue in this Redis. rediss://USER:PASSWORD@HOST:PORT uses TLS and a password. Other users of the machine can read flags, so that a password belongs in the environment variable.',
  { valueName: 'url', fallback: 'the environment variable DUALANODIFF_REDIS' },
);
export const store = option(
  path('a folder or s3://BUCKET/PREFIX'),
  'common',
  'Keep datasets and results in this folder, which all machines share, or in this bucket of S3 or of a compatible server.',
  { valueName: 'place' },
);
export const bases = option(
  path('a folder').optional(),
  'common',
  'Offer the base models in this folder by their names. Every worker that has a base should have it at the same path.',
  { valueName: 'dir', fallback: 'only the embedded model' },
);
export const workFolder = option(
  path('a folder').optional(),
  'advanced',
  'Keep the files of running jobs in this folder. It needs room for the dataset and the results of each of them.',
  { valueName: 'dir', fallback: 'a folder of its own in the temporary folder' },
);

export const workerOptions = {
  redis,
  store,
  bases,
  workFolder,
  concurrency: option(
    integer(1, 64).default(1),
    'common',
    'Run this many jobs at once. Jobs share the device and its memory, so that 1 is best for large bases.',
  ),
  pairsPerPart: option(
    integer(1, 100_000).default(100),
    'advanced',
    'Divide the pairs of a campaign into jobs of this many pairs, rounded up to whole batches.',
  ),
  copySeconds: option(
    real(0.1, 3600).default(5),
    'advanced',
    'Copy new checkpoints and pairs to the store every n seconds, so that another worker can continue from them.',
  ),
  lockSeconds: option(
    integer(1, 3600).default(30),
    'advanced',
    'Let another worker take a job over if this one has been silent for this many seconds.',
  ),
};
export const workerSchema = z.strictObject(workerOptions);

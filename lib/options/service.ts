/** Declares the options of `serve`. */
import { z } from 'zod';
import { integer, path } from './check.js';
import { option } from './option.js';
import { bases, store, workFolder } from './worker.js';

const MEGABYTES = 1_000_000;
/** Uploads and archives have at most this number of megabytes. */
const size = () => integer(1, MEGABYTES);

export const serveOptions = {
  port: option(integer(0, 65535).default(8080), 'common', 'Listen on this port. 0 takes a free one.'),
  host: option(
    path('an address').default('127.0.0.1'),
    'common',
    'Listen on this address. Addresses other than those of this machine alone need tokens.',
    { valueName: 'address' },
  ),
  store,
  redis: option(
    path('redis://HOST:PORT').optional(),
    'common',
    'Hand jobs to workers through the queue in this Redis. rediss://USER:PASSWORD@HOST:PORT uses TLS and a password, which belongs in the environment variable.',
    { valueName: 'url', fallback: 'the environment variable DUALANODIFF_REDIS, or jobs run in this process' },
  ),
  workers: option(
    integer(0, 64).default(0),
    'common',
    'Start this many workers on this machine, too. They take jobs off the queue in Redis, and are started again if they die.',
  ),
  bases,
  tokens: option(
    path('a file').optional(),
    'common',
    'Let in the clients in this file. Each line has a name and a token of at least 16 characters, with a space between them.',
    { valueName: 'file', fallback: 'the one token in the environment variable DUALANODIFF_TOKEN' },
  ),
  workFolder,
  maxQueued: option(integer(1, 1_000_000).default(10_000), 'advanced', 'Let at most this many jobs wait.'),
  maxUpload: option(size().default(2000), 'advanced', 'Take archives of datasets of at most this many megabytes.'),
  maxUnpacked: option(size().default(8000), 'advanced', 'Take datasets of at most this many megabytes.'),
  maxFiles: option(integer(1, 1_000_000).default(100_000), 'advanced', 'Take datasets of at most this many files.'),
  maxRequests: option(
    integer(1, 1_000_000).default(1200),
    'advanced',
    'Answer at most this many requests of each client in a minute.',
  ),
};
export const serveSchema = z.strictObject(serveOptions);
export type ServeOptions = z.output<typeof serveSchema>;

/** Copies what the names in a job's options stand for to the machine of the job. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatasetError, InvalidOptionError, StoreError } from '../core/errors.js';
import { pathInside } from '../core/path-inside.js';
import { memoryOfJob } from '../jobs/estimates.js';
import type { Reference } from '../options/requests.js';
import type { Job, JobRequest } from '../queue/job-queue.js';
import { fetchDataset, readDataset } from '../store/datasets.js';
import { fetchFiles } from '../store/manifest.js';
import { jobPrefix, readResult } from '../store/results.js';
import type { Store } from '../store/store.js';
import { fetchReviews } from './review-files.js';

export interface InputSettings {
  store: Store;
  /** Inputs are copied below this folder. */
  folder: string;
  /** The folder of the bases that jobs may use. */
  bases?: string | undefined;
}

/** Returns the path of what a name stands for. Throws ERR_INVALID_OPTION, ERR_NOT_FOUND, and the errors of the store. */
export async function fetchInput(
  reference: Reference,
  { datasets }: Pick<Job, 'datasets'>,
  { store, folder, bases }: InputSettings,
): Promise<string> {
  if (reference.kind === 'base') return basePath(reference.name, bases);
  if (reference.kind === 'job') return fetchResult(store, reference, folder);
  const { name } = reference;
  const pinned = Object.hasOwn(datasets, name) ? datasets[name] : undefined;
  const digest = pinned ?? (await readDataset(store, name)).digest;
  const path = pathInside(folder, name); // The folder's name is the category, which prompts may contain.
  if (!existsSync(path))
    await fetchDataset(store, digest, path).catch((cause) => {
      throw cause instanceof StoreError && cause.code === 'ERR_NOT_FOUND' ? contentsMissing(name, cause) : cause;
    });
  return path;
}

/** Somebody has removed the contents, or the store is not the one to which the dataset was uploaded. */
const contentsMissing = (name: string, cause: StoreError) =>
  new StoreError(
    `The contents of the dataset ${name} are not in the store of this worker: give the service and all workers the same store, or upload the dataset again, and retry the job`,
    'ERR_NOT_FOUND',
    { cause },
  );

/** Returns the path of a base. Throws ERR_INVALID_OPTION if this machine does not have it. */
export function basePath(name: string, bases: string | undefined): string {
  const path = bases === undefined ? undefined : pathInside(bases, name);
  if (path === undefined || !existsSync(path)) {
    throw new InvalidOptionError(`There is no base ${name} on this machine: copy it to the folder of --bases`);
  }
  return path;
}

/**
 * Estimates the bytes of memory of a job whose base is in the folder `bases`. Returns 0 for a base that this machine does
 * not have, so that any worker that has it takes the job. A queue in the process does not divide its campaigns.
 */
export function memoryOf({ kind, options }: JobRequest, bases: string | undefined, { isDivided = true } = {}): number {
  const { base } = options;
  if (typeof base !== 'string') return memoryOfJob(kind, options, undefined, { isDivided });
  const path = bases === undefined ? undefined : pathInside(bases, base);
  return path === undefined || !existsSync(path) ? 0 : memoryOfJob(kind, options, path, { isDivided });
}

/** Copies files of another job's result. */
async function fetchResult(
  store: Store,
  { id, path }: Extract<Reference, { kind: 'job' }>,
  folder: string,
): Promise<string> {
  const result = await readResult(store, id);
  if (!result) throw new StoreError(`The job ${id} has no result yet: wait until it is completed`, 'ERR_NOT_FOUND');
  const wanted = result.files.filter((file) => path === '' || file.path === path || file.path.startsWith(`${path}/`));
  if (wanted.length === 0) throw new DatasetError(`The result of the job ${id} holds no ${path || 'files'}`);
  const target = pathInside(folder, id);
  await fetchFiles(store, jobPrefix(id), wanted, target);
  await fetchReviews(store, id, wanted, target);
  return path === '' ? target : join(target, path);
}

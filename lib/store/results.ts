/** Keeps the files and results of jobs. A job's files appear while it runs, and its result is written last. */
import { z } from 'zod';
import { StoreError } from '../core/errors.js';
import { storeKey } from './keys.js';
import { type ManifestFile, manifestFileSchema, readJsonObject, writeJsonObject } from './manifest.js';
import type { Store } from './store.js';

const resultSchema = z.object({
  kind: z.string(),
  result: z.record(z.string(), z.unknown()),
  files: z.array(manifestFileSchema),
});

/** Holds the published result of a job. */
export interface JobResult {
  kind: string;
  /** The result of the job's function. Its paths are relative to the job's files. */
  result: Record<string, unknown>;
  files: ManifestFile[];
}

/** Returns the prefix of everything that a job writes. */
export const jobPrefix = (id: string): string => storeKey('jobs', id);
/** Returns the key of a file of a job. */
export const jobFileKey = (id: string, path: string): string => storeKey(jobPrefix(id), 'files', path);
const resultKey = (id: string) => storeKey(jobPrefix(id), 'result.json');

/** Publishes the result of a job whose files are in the store. */
export async function publishResult(store: Store, id: string, result: JobResult): Promise<void> {
  await writeJsonObject(store, resultKey(id), result);
}

/** Reads the result of a job. Returns undefined if there is none yet. */
export async function readResult(store: Store, id: string): Promise<JobResult | undefined> {
  try {
    return await readJsonObject(store, resultKey(id), resultSchema);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'ERR_NOT_FOUND') return undefined;
    throw error;
  }
}

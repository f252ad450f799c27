/** Finds out which jobs this machine can run. */
import { readdir } from 'node:fs/promises';
import { freemem, hostname } from 'node:os';
import { resolve } from 'node:path';
import { withFileErrors } from '../core/errors.js';
import { memoryOfProcess } from '../jobs/estimates.js';
import { getEngine } from '../native.js';
import type { Capabilities } from '../queue/workers.js';

/** Describes this machine. Throws ERR_LIBTORCH_MISSING, and ERR_FILE_ACCESS if `bases` is no folder that can be read. */
export async function findCapabilities(bases: string | undefined): Promise<Capabilities> {
  const engine = await getEngine();
  const gpu = await engine.deviceInfo(new engine.Task(0));
  const hasGpu = gpu.name !== '' && gpu.reason === '';
  return {
    host: hostname(),
    device: hasGpu ? gpu.name : 'cpu',
    memoryBytes: hasGpu ? gpu.totalBytes : memoryOfProcess(),
    bases: bases === undefined ? [] : await namesOfBases(resolve(bases)),
  };
}

async function namesOfBases(folder: string): Promise<string[]> {
  const names = await withFileErrors('read', folder, () => readdir(folder));
  return names.filter((name) => !name.startsWith('.')).sort();
}

/**
 * Returns the bytes of memory that jobs of this process may take, those of running ones included. What the process holds
 * between jobs, such as a base, is theirs, too.
 */
export const freeMemory = (): number => freemem() + process.memoryUsage.rss();

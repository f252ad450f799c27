/** Gives each job a folder of its own on this machine, and removes what killed processes left. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DualAnoDiffError, withFileErrors } from '../core/errors.js';
import { createFolder } from '../core/files.js';
import { lockFolder, type WriteLock } from '../core/write-lock.js';

/** Holds the folder of a process, which is removed with everything in it when the process ends its work. */
export class WorkFolder implements AsyncDisposable {
  private constructor(
    readonly path: string,
    private readonly lock: WriteLock,
  ) {}

  /** Creates a folder for this process below `root`, and removes those of processes that have ended. */
  static async open(root: string): Promise<WorkFolder> {
    const folder = resolve(root);
    await withFileErrors('create', folder, () => createFolder(folder));
    for (const entry of await withFileErrors('read', folder, () => readdir(folder, { withFileTypes: true }))) {
      if (entry.isDirectory() && entry.name.startsWith(PREFIX)) await removeIfLeft(join(folder, entry.name));
    }
    const path = await withFileErrors('create', folder, () => mkdtemp(join(folder, PREFIX)));
    return new WorkFolder(path, await lockFolder(path));
  }

  /** Creates a folder for a job. */
  create(id: string): Promise<string> {
    return withFileErrors('create', this.path, () => mkdtemp(join(this.path, `${id}-`)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lock.release();
    await removeFolder(this.path);
  }
}

const PREFIX = 'process-';

export const removeFolder = (path: string): Promise<void> =>
  withFileErrors('remove', path, () => rm(path, { recursive: true, force: true }));

/** Removes the folder of a process that has ended. A process that runs, or that cannot be checked, keeps its folder. */
async function removeIfLeft(path: string): Promise<void> {
  let lock: WriteLock;
  try {
    lock = await lockFolder(path);
  } catch (error) {
    if (error instanceof DualAnoDiffError && error.code === 'ERR_BUSY') return;
    throw error;
  }
  await removeFolder(path);
  await lock.release();
}

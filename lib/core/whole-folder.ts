import { randomUUID } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { FileAccessError, withFileErrors } from './errors.js';
import { createFolder } from './files.js';
import { removePartialFiles } from './partial-files.js';
import { lockFile } from './write-lock.js';

/** Throws ERR_FILE_ACCESS if something is in the way of a new folder. An empty folder is not. */
async function refuseExisting(folder: string): Promise<void> {
  const names = await withFileErrors('write', folder, () =>
    readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    }),
  );
  if (names.length === 0) return;
  throw new FileAccessError(`Cannot write ${folder}: it is not empty, so choose a new folder or empty it`);
}

/**
 * Writes a folder completely or not at all. `write` fills a temporary folder beside it, which is then renamed. Throws
 * ERR_FILE_ACCESS if the folder holds files already, and ERR_BUSY while another process writes it.
 */
export async function writeWholeFolder<R>(path: string, write: (folder: string) => Promise<R>): Promise<R> {
  const folder = resolve(path);
  await using _lock = await lockFile(folder);
  await refuseExisting(folder);
  await removePartialFiles(dirname(folder), (name) => name === basename(folder));
  const temporary = `${folder}.partial-${process.pid}-${randomUUID().slice(0, 8)}`;
  try {
    await withFileErrors('write', folder, () => createFolder(temporary));
    const result = await write(temporary);
    await withFileErrors('write', folder, () => rename(temporary, folder));
    return result;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

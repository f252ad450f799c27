import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileErrors } from './errors.js';
import { namesIn } from './files.js';

/** What files are called until they are whole: `000000.png.partial-4711`, with more behind it where names could be equal. */
const PARTIAL = /\.partial-\d[\w-]*$/;

/**
 * Removes the files of a folder that a killed process left half-written. `isOurs` gets the name that a file would have
 * had, and says whether only the caller, who holds a lock, may write it: the files that a live process writes beside them
 * look the same.
 */
export async function removePartialFiles(folder: string, isOurs: (name: string) => boolean): Promise<void> {
  for (const name of await namesIn(folder)) {
    const whole = name.replace(PARTIAL, '');
    if (whole === name || !isOurs(whole)) continue;
    const path = join(folder, name);
    await withFileErrors('remove', path, () => rm(path, { force: true }));
  }
}

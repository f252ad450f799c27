import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileErrors } from './errors.js';
import { namesIn } from './files.js';

/** Matches the ending of a file that is still being written, as in `000000.png.partial-4711-0f3a9c21`. */
const PARTIAL = /\.partial-\d[\w-]*$/;

/** Returns true for the name of a file or folder that is still being written, or that a killed process left. */
export const isPartialFile = (name: string): boolean => PARTIAL.test(name);

/**
 * Removes the incomplete files and folders that a killed process left in a folder. `isOurs` takes the final name of one and
 * returns true if only the caller, who holds a lock, may write it. Other processes may be writing files that look the
 * same.
 */
export async function removePartialFiles(folder: string, isOurs: (name: string) => boolean): Promise<void> {
  for (const name of await namesIn(folder)) {
    const whole = name.replace(PARTIAL, '');
    if (whole === name || !isOurs(whole)) continue;
    const path = join(folder, name);
    await withFileErrors('remove', path, () => rm(path, { force: true, recursive: true }));
  }
}

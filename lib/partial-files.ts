import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileErrors } from './errors.js';
import { namesIn } from './files.js';

/** What files are called until they are whole: `000000.png.partial-4711`, with more behind it where names could be equal. */
const PARTIAL = /\.partial-\d[\w-]*$/;
/** A lock that another process is about to ask for: it is no leftover. */
const CLAIM = /\.lock-\d+-[0-9a-f]+$/;

/**
 * Removes the files of a folder that a killed process left half-written. Only for the one who holds the folder's lock:
 * those of a process that lives look the same. `isOurs` gets the name that the file would have had.
 */
export async function removePartialFiles(
  folder: string,
  isOurs: (name: string) => boolean = () => true,
): Promise<void> {
  for (const name of await namesIn(folder)) {
    const whole = name.replace(PARTIAL, '');
    if (whole === name || CLAIM.test(whole) || !isOurs(whole)) continue;
    const path = join(folder, name);
    await withFileErrors('remove', path, () => rm(path, { force: true }));
  }
}

import { isAbsolute, relative, resolve, sep } from 'node:path';
import { InvalidOptionError } from './errors.js';

/**
 * Returns the path of a file below `folder`. All names that come from a file or a user must pass through this function
 * before anything is written. Throws ERR_INVALID_OPTION if the path leads out of the folder.
 */
export function pathInside(folder: string, ...segments: string[]): string {
  const root = resolve(folder);
  const path = resolve(root, ...segments);
  const relativePath = relative(root, path);
  if (relativePath === '' || relativePath === '..' || relativePath.startsWith(`..${sep}`) || isAbsolute(relativePath)) {
    throw new InvalidOptionError(`Expected a name of a file below ${root} but received ${segments.join('/')}`);
  }
  return path;
}

import { isAbsolute, relative, resolve, sep } from 'node:path';
import { InvalidOptionError } from './errors.js';

/**
 * The path of a file below `folder`. Names that come from a file or a user pass through here before anything is written.
 * Throws ERR_INVALID_OPTION where they lead out of the folder.
 */
export function pathInside(folder: string, ...segments: string[]): string {
  const root = resolve(folder);
  const path = resolve(root, ...segments);
  const way = relative(root, path);
  if (way === '' || way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) {
    throw new InvalidOptionError(`Expected a name of a file below ${root} but received ${segments.join('/')}`);
  }
  return path;
}

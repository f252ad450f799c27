import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withFileErrors } from './errors.js';

/** Returns the path without links. Names at its end that do not exist stay as they are. Throws ERR_FILE_ACCESS. */
export async function realPathOf(path: string): Promise<string> {
  const parent = dirname(path);
  const found = await withFileErrors('read', path, () =>
    realpath(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' || parent === path) throw error;
    }),
  );
  return found ?? join(await realPathOf(parent), basename(path));
}

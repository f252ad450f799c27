import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withFileErrors } from './errors.js';

/** What file systems take for one name, in bytes. */
const MAX_NAME = 255;

/** Beside a file's place, with its name as far as there is room for it. */
function beside(path: string, ending: string): string {
  let name = basename(path);
  while (Buffer.byteLength(name + ending) > MAX_NAME) name = name.slice(0, -1);
  return join(dirname(path), name + ending);
}

/** Writes a file whole or not at all: beside its place, flushed, renamed. Makes the folder if need be. */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  // No other writer's: worker threads share the process's number, and a second copy of this module any counter.
  const temporary = beside(path, `.partial-${process.pid}-${randomUUID().slice(0, 8)}`);
  await withFileErrors('write', path, async () => {
    await mkdir(dirname(path), { recursive: true });
    try {
      const file = await open(temporary, 'wx');
      try {
        await file.writeFile(data);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  });
}

/** Tells files apart: the first 16 hexadecimal digits of their SHA-256. */
export async function fileDigest(path: string): Promise<string> {
  const bytes = await withFileErrors('read', path, () => readFile(path));
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

/** The names in a folder; none where it is missing. */
export function namesIn(folder: string): Promise<string[]> {
  return withFileErrors('read', folder, () =>
    readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error; // to take it for empty would make again, or remove, what is there
    }),
  );
}

import { createHash, randomUUID } from 'node:crypto';
import {
  constants,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withFileErrors } from './errors.js';

/** The longest file name that common file systems accept, in bytes. */
const MAX_NAME_BYTES = 255;

/** The mode of copies that share their bytes where the file system can, and never replace a file. */
export const COPY = constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL;

/** Returns the path in the same folder whose name ends with `ending`. A name that is too long is cut. */
function pathWithEnding(path: string, ending: string): string {
  let name = basename(path);
  while (Buffer.byteLength(name + ending) > MAX_NAME_BYTES) name = name.slice(0, -1);
  return join(dirname(path), name + ending);
}

/** Creates a folder in one that exists. Returns true if it is new. */
async function createOne(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST' && (await stat(folder)).isDirectory();
    if (exists) return false;
    throw error;
  }
}

/**
 * Creates a folder with the missing ones above it. Returns the outermost new one, or undefined if the folder exists.
 * The recursion of Node does not end where a file system refuses a new folder as missing, as /proc does.
 */
export async function createFolder(folder: string): Promise<string | undefined> {
  try {
    return (await createOne(folder)) ? folder : undefined;
  } catch (error) {
    const parent = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === folder) throw error;
    const outermost = await createFolder(parent);
    // The folder is tried again even if the parent exists, because another writer may have just created the parent.
    const isNew = await createOne(folder);
    return outermost ?? (isNew ? folder : undefined);
  }
}

/** Opens a new file. Creates its folder only if that is missing, because most files are written beside others. */
async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await createFolder(dirname(path));
    return await open(path, 'wx');
  }
}

/**
 * Writes a file completely or not at all. The data, whole or in chunks, goes to a temporary file in the same folder,
 * which is flushed and then renamed. Creates the folder if it is missing. Without `flush`, a power failure may leave an
 * empty or incomplete file, so that is for files whose damage is found and which can be made again.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array | Uint8Array[] | AsyncIterable<Uint8Array>,
  { flush = true } = {},
): Promise<void> {
  // A random part is needed because worker threads share one process id, and copies of this module share no counter.
  const temporary = pathWithEnding(path, `.partial-${process.pid}-${randomUUID().slice(0, 8)}`);
  await withFileErrors('write', path, async () => {
    const file = await openNew(temporary);
    try {
      try {
        await writeFile(file, data);
        if (flush) await file.sync();
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

/** Returns the first 16 hexadecimal digits of a file's SHA-256. */
export async function fileDigest(path: string): Promise<string> {
  const bytes = await withFileErrors('read', path, () => readFile(path));
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

/** Returns the names in a folder. A missing folder has none. */
export function namesIn(folder: string): Promise<string[]> {
  return withFileErrors('read', folder, () =>
    readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error; // A caller that took the folder for empty would overwrite or remove its files.
    }),
  );
}

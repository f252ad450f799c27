import { mkdir, mkdtemp, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { FileAccessError } from '../core/errors.js';
import { isAlive } from '../core/process-identity.js';

/**
 * No install takes longer than this. An older folder is a leftover, even if a process with its owner's id is running.
 */
const STALE_AFTER_MS = 24 * 60 * 60 * 1000;

const host = hostname().replace(/[^\w.-]/g, '_');
const remove = (folder: string) => rm(folder, { recursive: true, force: true, maxRetries: 5 });

/**
 * Removes the folders that killed installs left beside `target`, also those of other versions, whose names differ after
 * the first `-`. Folders of running installs stay.
 */
export async function removeLeftovers(target: string): Promise<void> {
  const parent = dirname(target);
  const [what] = basename(target).split('-');
  for (const name of await readdir(parent)) {
    if (!name.startsWith(`${what}-`) || !name.includes('-partial-')) continue;
    const folder = join(parent, name);
    const owner = /-partial-(?<host>.+)-(?<pid>\d+)-\w+(-old)?$/.exec(name)?.groups;
    const hasEnded = owner?.host === host && !isAlive(Number(owner.pid));
    const found = await stat(folder).catch(() => undefined); // Its owner may remove it at this moment.
    if (found && (hasEnded || Date.now() - found.mtimeMs > STALE_AFTER_MS)) await remove(folder);
  }
}

/** Creates a folder beside `target` to install into. Its name identifies this process. */
export async function makeWorkFolder(target: string): Promise<string> {
  await mkdir(dirname(target), { recursive: true });
  await removeLeftovers(target);
  return mkdtemp(`${target}-partial-${host}-${process.pid}-`);
}

/**
 * Throws ERR_FILE_ACCESS if the file system has less than `neededMb` free. Some file systems do not report their size.
 */
export async function requireSpace(what: string, folder: string, neededMb: number): Promise<void> {
  const { blocks, bavail, bsize } = await statfs(folder);
  const freeMb = Math.floor((bavail * bsize) / 1e6);
  if (blocks === 0 || freeMb >= neededMb) return;
  throw new FileAccessError(
    `Cannot install ${what} into ${dirname(folder)}: about ${neededMb} MB are needed and ${freeMb} MB are free. Free some space, or set DUALANODIFF_CACHE to a folder on another disk.`,
  );
}

/**
 * Returns a folder's inode number, which changes if another folder takes its place. Returns undefined if it is missing.
 */
export const identityOf = (folder: string): Promise<number | undefined> =>
  stat(folder).then(
    ({ ino }) => ino,
    () => undefined,
  );

/**
 * Moves a filled work folder to `target`. `before` is the identity of the folder that was there when the install began,
 * and that folder is replaced. If another process has installed a usable one meanwhile, it stays, because it may be in
 * use.
 */
export async function moveIntoPlace(
  work: string,
  target: string,
  before: number | undefined,
  isUsable: (folder: string) => boolean,
): Promise<void> {
  const aside = `${work}-old`;
  for (;;) {
    const now = await identityOf(target);
    if (now !== undefined && now !== before && isUsable(target)) return remove(work);
    try {
      if (now !== undefined) await rename(target, aside);
      await rename(work, target);
      return remove(aside);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Another process moved a folder first, so this one looks at `target` again.
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && !(code === 'ENOENT' && (await identityOf(work)))) throw error;
      await remove(aside);
    }
  }
}

export { remove as removeFolder };

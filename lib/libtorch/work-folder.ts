import { mkdir, mkdtemp, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { FileAccessError } from '../core/errors.js';
import { isAlive } from '../core/process-identity.js';

/** No install takes longer: what is older was left behind, whatever process has its number now. */
const STALE_AFTER_MS = 24 * 60 * 60 * 1000;

const host = hostname().replace(/[^\w.-]/g, '_');
const remove = (folder: string) => rm(folder, { recursive: true, force: true, maxRetries: 5 });

/** Removes what killed installs left beside `target`; folders of installs that are running stay. */
export async function removeLeftovers(target: string): Promise<void> {
  const parent = dirname(target);
  for (const name of await readdir(parent)) {
    if (!/^libtorch-.+-partial-/.test(name)) continue;
    const folder = join(parent, name);
    const owner = /-partial-(?<host>.+)-(?<pid>\d+)-\w+(-old)?$/.exec(name)?.groups;
    const hasEnded = owner?.host === host && !isAlive(Number(owner.pid));
    const found = await stat(folder).catch(() => undefined); // it may go at this moment
    if (found && (hasEnded || Date.now() - found.mtimeMs > STALE_AFTER_MS)) await remove(folder);
  }
}

/** A folder beside `target` that names its owner, to be filled and then put in its place. */
export async function makeWorkFolder(target: string): Promise<string> {
  await mkdir(dirname(target), { recursive: true });
  await removeLeftovers(target);
  return mkdtemp(`${target}-partial-${host}-${process.pid}-`);
}

/** Throws where the file system has less room than `neededMb`; a system that does not say is trusted. */
export async function requireSpace(folder: string, neededMb: number): Promise<void> {
  const { blocks, bavail, bsize } = await statfs(folder);
  const freeMb = Math.floor((bavail * bsize) / 1e6);
  if (blocks === 0 || freeMb >= neededMb) return;
  throw new FileAccessError(
    `Cannot install libtorch into ${dirname(folder)}: about ${neededMb} MB are needed and ${freeMb} MB are free. Make room, or set DUALANODIFF_CACHE to a folder on another disk.`,
  );
}

/** The identity of a folder: another one in the same place has another. */
export const identityOf = (folder: string): Promise<number | undefined> =>
  stat(folder).then(
    ({ ino }) => ino,
    () => undefined,
  );

/**
 * Puts a filled work folder in its place. `before` is what was there when the work began: that is replaced. Where another
 * process has put a good one there meanwhile, that one stays, because somebody may be using it.
 */
export async function putInPlace(
  work: string,
  target: string,
  before: number | undefined,
  isGood: (folder: string) => boolean,
): Promise<void> {
  const aside = `${work}-old`;
  for (;;) {
    const now = await identityOf(target);
    if (now !== undefined && now !== before && isGood(target)) return remove(work);
    try {
      if (now !== undefined) await rename(target, aside);
      await rename(work, target);
      return remove(aside);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Another process was quicker with one of the two: look again.
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && !(code === 'ENOENT' && (await identityOf(work)))) throw error;
      await remove(aside);
    }
  }
}

export { remove as removeFolder };

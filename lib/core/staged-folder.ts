/** Writes a folder of results that appears whole or, after an error, not at all. */
import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileAccessError, withFileErrors } from './errors.js';
import { namesIn } from './files.js';
import { pathInside } from './path-inside.js';
import { lockFolder, type WriteLock } from './write-lock.js';

/** The name of the hidden folder begins with this. */
const STAGE = '.partial-';
const LOCK = '.lock-';

/**
 * Returns true if not all files of a staged folder were moved to their places, because the process was killed or is still
 * at work.
 */
export async function holdsStagedFiles(folder: string): Promise<boolean> {
  const names = await namesIn(folder);
  for (const name of names.filter((one) => one.startsWith(STAGE))) {
    const stage = join(folder, name);
    if (!(await stat(stage).catch(() => undefined))?.isDirectory()) continue;
    // If the process was killed after the last move, its folder is empty, and the files beside it are complete.
    if (names.every((one) => one.startsWith('.')) || (await namesIn(stage)).length > 0) return true;
  }
  return false;
}

/**
 * Collects files in a hidden folder inside `folder` and moves all of them to their places at the end. The folder is
 * locked until then. If the process is killed before, only the hidden folder stays, and the next call removes it. If it
 * is killed during the moves, which take a moment, some files are at their places and the rest is in the hidden folder.
 */
export class StagedFolder implements AsyncDisposable {
  readonly #made = new Set<string>();

  private constructor(
    readonly folder: string,
    private readonly stage: string,
    private readonly lock: WriteLock,
  ) {}

  /**
   * Opens a folder that is missing or empty. Throws ERR_FILE_ACCESS if it holds files, and ERR_BUSY if another process
   * writes to it.
   */
  static async open(path: string): Promise<StagedFolder> {
    const lock = await lockFolder(path);
    const { place: folder } = lock;
    try {
      const names = (await namesIn(folder)).filter((name) => !name.startsWith(LOCK));
      const other = names.find((name) => !name.startsWith(STAGE));
      if (other !== undefined) {
        if (await holdsStagedFiles(folder)) {
          throw new FileAccessError(
            `Cannot write to ${folder}: it holds an import or export that was not finished. Remove the folder, or choose a new one.`,
          );
        }
        throw new FileAccessError(`Cannot write to ${folder}: it holds ${other}. Choose a new or an empty folder.`);
      }
      for (const name of names) await removeAll(join(folder, name));
      const stage = join(folder, `${STAGE}${process.pid}-${randomUUID().slice(0, 8)}`);
      await withFileErrors('create', stage, () => mkdir(stage));
      return new StagedFolder(folder, stage, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Returns where to write the file that will be at `name` in the folder. The folders above the file exist. */
  async pathOf(name: string): Promise<string> {
    const path = pathInside(this.stage, name);
    const parent = join(path, '..');
    if (!this.#made.has(parent)) await withFileErrors('create', parent, () => mkdir(parent, { recursive: true }));
    this.#made.add(parent);
    return path;
  }

  /** Moves everything to its place. If something cannot be moved, all of it goes back. */
  async commit(): Promise<void> {
    const moved: string[] = [];
    try {
      for (const name of (await namesIn(this.stage)).sort()) {
        const [from, to] = [join(this.stage, name), join(this.folder, name)];
        await withFileErrors('write', to, () => rename(from, to));
        moved.push(name);
      }
    } catch (error) {
      // The first error tells more than one of a move back.
      for (const name of moved) await rename(join(this.folder, name), join(this.stage, name)).catch(() => {});
      throw error;
    }
  }

  /** Removes what was not moved to its place, and releases the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await removeAll(this.stage);
    } finally {
      await this.lock.release();
    }
  }
}

const removeAll = (path: string) => withFileErrors('remove', path, () => rm(path, { recursive: true, force: true }));

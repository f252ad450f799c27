/** Copies the files that a job writes to the store as they come, so that another machine can continue the job. */
import { stat } from 'node:fs/promises';
import { FileAccessError } from '../core/errors.js';
import { fewAtOnce } from '../core/few-at-once.js';
import { pathInside } from '../core/path-inside.js';
import { filesBelow, type ManifestFile } from '../store/manifest.js';
import { jobFileKey, jobPrefix } from '../store/results.js';
import type { Store } from '../store/store.js';
import { downloadFile, uploadFile } from '../store/transfer.js';

/**
 * A log or list grows with each step or pair, and tells what the other files are. It is copied before them, because a
 * checkpoint needs the log of its steps, and after them, because a pair counts only if it is listed.
 */
const isList = (path: string) => path.endsWith('.jsonl');

/** What is known of a file whose copy is in the store. */
interface Copied extends ManifestFile {
  /** It changes whenever the file is written. */
  version: string;
}

export class Outputs {
  readonly #copied = new Map<string, Copied>();
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(
    private readonly store: Store,
    private readonly id: string,
    readonly folder: string,
    /** Hears of each copied file that is new or has other contents than before. Only a new list counts. */
    private readonly onCopied: (path: string, isNew: boolean) => void,
  ) {}

  /** Fetches the files of an earlier run of the job. */
  async restore(): Promise<void> {
    const prefix = `${jobPrefix(this.id)}/files`;
    const paths: string[] = [];
    for await (const { key } of this.store.list(prefix)) paths.push(key.slice(prefix.length + 1));
    await fewAtOnce(paths, async (path) => {
      const written = await downloadFile(this.store, jobFileKey(this.id, path), this.#local(path));
      const version = await this.#version(path);
      if (version !== undefined) this.#copied.set(path, { path, ...written, version });
    });
  }

  /**
   * Copies new and changed files, removes copies of files that the job has removed, and returns what the store has.
   * A log that grows alone is copied only if `isLast` is true, because it grows with every step.
   */
  copy(isLast: boolean): Promise<ManifestFile[]> {
    const next = this.#turn.then(() => (this.#isClosed ? this.#files() : this.#copyAll(isLast)));
    this.#turn = next.catch(() => {}); // Each caller gets its own error.
    return next;
  }

  /** Ends copying, because the folder goes away, and its missing files must not be removed from the store. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#turn;
  }

  async #copyAll(isLast: boolean): Promise<ManifestFile[]> {
    const paths = await filesBelow(this.folder);
    const present = new Set(paths);
    const changed = await this.#changed(paths);
    const lists = changed.filter(isList);
    if (!isLast && lists.length === changed.length) return this.#files();
    await this.#upload(lists);
    await this.#upload(changed.filter((path) => !isList(path)));
    if (lists.length < changed.length) await this.#upload(await this.#changed(paths.filter(isList)));
    for (const path of this.#copied.keys()) {
      if (present.has(path)) continue;
      await this.store.delete(jobFileKey(this.id, path));
      this.#copied.delete(path);
    }
    return this.#files();
  }

  #files(): ManifestFile[] {
    return [...this.#copied.values()]
      .map(({ path, size, sha256 }) => ({ path, size, sha256 }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async #upload(paths: readonly string[]): Promise<void> {
    await fewAtOnce(paths, async (path) => {
      const before = this.#copied.get(path);
      const version = await this.#version(path);
      if (version === undefined) return;
      const written = await uploadFile(this.store, jobFileKey(this.id, path), this.#local(path)).catch(ifRemoved);
      if (!written) return;
      this.#copied.set(path, { path, ...written, version });
      if (!before || (before.sha256 !== written.sha256 && !isList(path))) this.onCopied(path, !before);
    });
  }

  async #changed(paths: readonly string[]): Promise<string[]> {
    const isChanged = async (path: string) => (await this.#version(path)) !== this.#copied.get(path)?.version;
    const changed = await fewAtOnce(paths, isChanged);
    return paths.filter((_, i) => changed[i]);
  }

  /** Returns undefined for a file that the job has removed. */
  async #version(path: string): Promise<string | undefined> {
    const found = await stat(this.#local(path), { bigint: true }).catch(() => undefined);
    return found && `${found.ino} ${found.size} ${found.mtimeNs}`;
  }

  #local(path: string): string {
    return pathInside(this.folder, path);
  }
}

/** The job removes old checkpoints while its files are copied. */
function ifRemoved(error: unknown): undefined {
  const cause = error instanceof FileAccessError ? (error.cause as NodeJS.ErrnoException) : undefined;
  if (cause?.code !== 'ENOENT') throw error;
}

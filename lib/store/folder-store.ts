/** Keeps objects as files of a folder, which may be on NFS: renaming a file is all that it relies on. */
import { createReadStream } from 'node:fs';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { DualAnoDiffError, FileAccessError, fileErrorReason, StoreError } from '../core/errors.js';
import { writeFileAtomic } from '../core/files.js';
import { isPartialFile } from '../core/partial-files.js';
import { pathInside } from '../core/path-inside.js';
import { isKeyName, storeKey } from './keys.js';
import { measure } from './measure.js';
import {
  type ByteRange,
  type Content,
  objectMissing,
  type Store,
  type StoredObject,
  type WrittenObject,
} from './store.js';

const isMissing = (error: unknown) => ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');

/** Keeps each object in the file with its key as the path. */
export class FolderStore implements Store {
  readonly place: string;

  constructor(folder: string) {
    this.place = resolve(folder);
  }

  async put(key: string, content: Content): Promise<WrittenObject> {
    const { chunks, measured } = measure(content);
    await this.#access(`write ${key}`, () => writeFileAtomic(this.#path(key), chunks));
    return measured();
  }

  async get(key: string, range?: ByteRange): Promise<Readable> {
    const path = this.#path(key);
    return this.#access(`read ${key}`, async () => {
      // An open file stays whole even if the object is replaced, and opening it here makes a missing one fail here.
      const file = await open(path).catch((error) => {
        throw isMissing(error) ? objectMissing(this, key, error) : error;
      });
      return createReadStream('', { fd: file, ...range });
    });
  }

  async head(key: string): Promise<StoredObject | undefined> {
    const path = this.#path(key);
    return this.#access(`read ${key}`, async () => {
      const found = await stat(path).catch((error) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      return found?.isFile() ? { key: storeKey(key), size: found.size, modified: found.mtime } : undefined;
    });
  }

  async *list(prefix: string): AsyncGenerator<StoredObject, void, undefined> {
    const key = storeKey(prefix);
    const entries = await this.#access(`list ${key}`, () =>
      readdir(this.#path(key), { withFileTypes: true }).catch((error) => {
        if (isMissing(error)) return [];
        throw error;
      }),
    );
    // A slash counts as in S3, where a/b/c precedes a/b.txt no matter that a/b looks like a folder.
    const sortKey = (entry: { name: string; isDirectory(): boolean }) => entry.name + (entry.isDirectory() ? '/' : '');
    const names = entries.filter(({ name }) => isKeyName(name) && !isPartialFile(name));
    for (const entry of names.sort((a, b) => Buffer.compare(Buffer.from(sortKey(a)), Buffer.from(sortKey(b))))) {
      const path = `${key}/${entry.name}`;
      if (entry.isDirectory()) yield* this.list(path);
      const found = entry.isFile() ? await this.head(path) : undefined;
      if (found) yield found;
    }
  }

  async delete(key: string): Promise<void> {
    await this.#access(`remove ${key}`, () => rm(this.#path(key), { force: true }));
  }

  async clean(prefix: string): Promise<void> {
    const folder = this.#path(prefix);
    await this.#access(`clean ${prefix}`, async () => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const left = entries.filter((entry) => entry.isFile() && isPartialFile(entry.name));
      for (const entry of left) await rm(join(entry.parentPath, entry.name), { force: true });
    });
  }

  close(): void {}

  #path(key: string): string {
    return pathInside(this.place, storeKey(key));
  }

  async #access<T>(what: string, operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (cause) {
      const error = (cause instanceof FileAccessError ? cause.cause : cause) as NodeJS.ErrnoException;
      if (error instanceof DualAnoDiffError || error.code === undefined) throw cause;
      throw new StoreError(`Cannot ${what} in ${this.place}: ${fileErrorReason(error)}`, 'ERR_STORE_ACCESS', { cause });
    }
  }
}

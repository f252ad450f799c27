/** Declares the store, which keeps datasets, adapters, pairs and results where all machines of a service reach them. */
import type { Readable } from 'node:stream';
import { StoreError } from '../core/errors.js';

/** The content of an object. Chunks of an iterable are written as they come. */
export type Content = string | Uint8Array | AsyncIterable<Uint8Array>;

/** Describes an object that was written. */
export interface WrittenObject {
  /** The number of bytes. */
  size: number;
  /** The SHA-256 of the content, as 64 hexadecimal digits. */
  sha256: string;
}

/** Describes an object of the store. */
export interface StoredObject {
  key: string;
  /** The number of bytes. */
  size: number;
  modified: Date;
}

/** Selects the bytes from `start` to `end`, both included. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * Keeps whole objects by key. A reader sees the old object or the new one, and never a part of one. All methods throw
 * ERR_INVALID_OPTION for a key that {@link storeKey} refuses, and ERR_STORE_ACCESS if the store cannot be read or
 * written.
 */
export interface Store {
  /** The folder, or the address of the bucket, for messages. */
  readonly place: string;
  /** Writes an object. If the content fails midway, nothing is written. */
  put(key: string, content: Content): Promise<WrittenObject>;
  /** Reads an object, or some of its bytes. Throws ERR_NOT_FOUND. */
  get(key: string, range?: ByteRange): Promise<Readable>;
  /** Describes an object. Returns undefined if there is none. */
  head(key: string): Promise<StoredObject | undefined>;
  /** Lists the objects whose keys begin with `<prefix>/`, sorted by key. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** Removes an object. A missing one is no error. */
  delete(key: string): Promise<void>;
  /** Removes what killed writers left below a prefix, where nobody else writes now. */
  clean(prefix: string): Promise<void>;
  /** Ends open connections. */
  close(): void;
}

export const objectMissing = (store: Store, key: string, cause?: unknown) =>
  new StoreError(`There is no object ${key} in ${store.place}`, 'ERR_NOT_FOUND', { cause });

/** Copies files into the store and out of it, and checks them by their digests. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { StoreError, withFileErrors } from '../core/errors.js';
import { writeFileAtomic } from '../core/files.js';
import { measure } from './measure.js';
import type { Store, WrittenObject } from './store.js';

/** A download whose connection breaks is tried again, up to this number of attempts. */
const MAX_ATTEMPTS = 4;
const FIRST_PAUSE_MS = 200;
/** Objects that are read into memory have at most this size. Manifests of 100,000 files are smaller. */
const MAX_BYTES_IN_MEMORY = 64 * 1024 * 1024;

/** The connection of a download broke, so that it is worth another attempt. */
class BrokenDownload extends Error {}

/** Writes a file as an object. Throws ERR_FILE_ACCESS if the file cannot be opened. */
export async function uploadFile(store: Store, key: string, path: string): Promise<WrittenObject> {
  const file = await withFileErrors('read', path, () => open(path));
  return store.put(key, file.createReadStream()); // The end of the stream closes the file.
}

/** Returns the size and the digest of a file. Throws ERR_FILE_ACCESS. */
export function measureFile(path: string): Promise<WrittenObject> {
  return withFileErrors('read', path, async () => {
    const { chunks, measured } = measure(createReadStream(path));
    for await (const _ of chunks); // Reading to the end completes the digest.
    return measured();
  });
}

/** Passes chunks on, and marks an error of their source. */
async function* received(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* chunks;
  } catch (cause) {
    throw new BrokenDownload((cause as Error).message, { cause });
  }
}

/** Repeats a download whose connection broke, or whose content is not the expected one. */
async function withRetries<T>(store: Store, key: string, download: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await download();
    } catch (cause) {
      const isDamaged = cause instanceof StoreError && cause.code === 'ERR_STORE_DAMAGED';
      const isBroken = cause instanceof BrokenDownload;
      if (!isDamaged && !isBroken) throw cause;
      if (attempt < MAX_ATTEMPTS) {
        await wait(FIRST_PAUSE_MS * 2 ** (attempt - 1));
        continue;
      }
      if (isDamaged) throw cause;
      const message = `Cannot read ${key} in ${store.place}: ${cause.message} (after ${attempt} attempts)`;
      throw new StoreError(message, 'ERR_STORE_ACCESS', { cause });
    }
  }
}

/**
 * Writes an object to a file, whole or not at all, and returns its size and digest. Throws ERR_NOT_FOUND, and
 * ERR_STORE_DAMAGED if the object is not the `expected` one.
 */
export function downloadFile(
  store: Store,
  key: string,
  path: string,
  expected?: WrittenObject,
): Promise<WrittenObject> {
  return withRetries(store, key, async () => {
    const { chunks, measured } = measure(received(await store.get(key)));
    let found: WrittenObject = { size: 0, sha256: '' };
    async function* checked() {
      yield* chunks;
      found = measured();
      requireSame(store, key, found, expected); // The file gets its name only after the last chunk.
    }
    await writeFileAtomic(path, checked());
    return found;
  });
}

function requireSame(store: Store, key: string, found: WrittenObject, expected: WrittenObject | undefined): void {
  if (!expected || (found.size === expected.size && found.sha256 === expected.sha256)) return;
  throw new StoreError(
    `${key} in ${store.place} is damaged: expected ${expected.size} bytes of SHA-256 ${expected.sha256} but found ${found.size} of ${found.sha256}`,
    'ERR_STORE_DAMAGED',
  );
}

/** Reads a small object. Throws ERR_NOT_FOUND, and ERR_STORE_DAMAGED if it is larger than 64 MiB. */
export function readObject(store: Store, key: string): Promise<Buffer> {
  return withRetries(store, key, async () => {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of received(await store.get(key))) {
      size += chunk.length;
      if (size > MAX_BYTES_IN_MEMORY) {
        throw new StoreError(
          `${key} in ${store.place} has more than ${MAX_BYTES_IN_MEMORY} bytes`,
          'ERR_STORE_DAMAGED',
        );
      }
      parts.push(chunk);
    }
    return Buffer.concat(parts);
  });
}

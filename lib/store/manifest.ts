/** Publishes folders. The manifest lists the files with their digests. It is written last, so that it makes them valid. */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { z } from 'zod';
import { DatasetError, StoreError, withFileErrors } from '../core/errors.js';
import { fewAtOnce } from '../core/few-at-once.js';
import { isPartialFile } from '../core/partial-files.js';
import { pathInside } from '../core/path-inside.js';
import { isClaim } from '../core/write-lock.js';
import { isKeyName, storeKey } from './keys.js';
import type { Store, WrittenObject } from './store.js';
import { downloadFile, measureFile, readObject, uploadFile } from './transfer.js';

/** A file of a published folder. */
export interface ManifestFile extends WrittenObject {
  /** The path below the folder, with slashes. */
  path: string;
}

const isRelativePath = (path: string) => path.split('/').every(isKeyName);
export const manifestFileSchema = z.object({
  path: z.string().refine(isRelativePath, 'a path below the folder'),
  size: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256'),
});
export const manifestSchema = z.object({
  files: z.array(manifestFileSchema),
  /** The files lie in this folder of another published folder with this digest. */
  source: z
    .object({ digest: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256'), folder: z.string().refine(isRelativePath) })
    .optional(),
});
export type Manifest = z.output<typeof manifestSchema>;

const manifestKey = (prefix: string) => storeKey(prefix, 'manifest.json');
const fileKey = (prefix: string, path: string) => storeKey(prefix, 'files', path);

/** Returns the paths of the files below a folder, sorted, without hidden, unfinished and linked ones. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await withFileErrors('read', folder, () => readdir(folder, { recursive: true, withFileTypes: true }));
  const paths = entries
    .filter((entry) => entry.isFile() && !isPartialFile(entry.name) && !isClaim(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
  return paths.filter((path) => !path.split('/').some((name) => name.startsWith('.'))).sort();
}

/** Reads and checks an object of JSON. Throws ERR_NOT_FOUND, and ERR_STORE_DAMAGED if it does not fit the schema. */
export async function readJsonObject<S extends z.ZodType>(store: Store, key: string, schema: S): Promise<z.output<S>> {
  const text = (await readObject(store, key)).toString('utf8');
  const { data, success, error } = z.preprocess(parseJson, schema).safeParse(text);
  if (success) return data;
  const [issue] = error.issues;
  const where = issue?.path.join('.') || 'the value';
  throw new StoreError(`${key} in ${store.place} is damaged: ${where}: ${issue?.message}`, 'ERR_STORE_DAMAGED');
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(text as string);
  } catch {
    return undefined; // No schema of an object accepts it.
  }
}

export const writeJsonObject = (store: Store, key: string, value: object): Promise<WrittenObject> =>
  store.put(key, `${JSON.stringify(value)}\n`);

/** Returns the digest of a folder, which depends on the paths and contents of its files alone. */
export function digestOfFiles(files: readonly ManifestFile[]): string {
  const hash = createHash('sha256');
  for (const { path, sha256 } of files) hash.update(`${path}\0${sha256}\n`);
  return hash.digest('hex');
}

/** Reads the files of a folder for their digests. Throws ERR_INVALID_OPTION for a name that the store does not take. */
export async function manifestOf(folder: string): Promise<Manifest> {
  const files = await fewAtOnce(await filesBelow(folder), async (path) => ({
    path: storeKey(path),
    ...(await measureFile(pathInside(folder, path))),
  }));
  return { files };
}

export const hasManifest = async (store: Store, prefix: string): Promise<boolean> =>
  (await store.head(manifestKey(prefix))) !== undefined;

/** Writes the manifest of a published folder. */
export const writeManifest = (store: Store, prefix: string, manifest: Manifest): Promise<WrittenObject> =>
  writeJsonObject(store, manifestKey(prefix), manifest);

/**
 * Copies the files of a folder to `<prefix>/files/`, and then writes `<prefix>/manifest.json`. The prefix holds the
 * digest of the contents, so that a manifest that exists already is the same.
 */
export async function publishManifest(store: Store, prefix: string, folder: string, manifest: Manifest): Promise<void> {
  if (await hasManifest(store, prefix)) return;
  await fewAtOnce(manifest.files, async (file) => {
    const { sha256 } = await uploadFile(store, fileKey(prefix, file.path), pathInside(folder, file.path));
    if (sha256 !== file.sha256) throw new DatasetError(`${file.path} in ${folder} has changed during its upload`);
  });
  await writeManifest(store, prefix, manifest);
}

/** Reads the manifest of a published folder. Throws ERR_NOT_FOUND. */
export const readManifest = (store: Store, prefix: string): Promise<Manifest> =>
  readJsonObject(store, manifestKey(prefix), manifestSchema);

/** Copies files of a prefix, or of a folder below it, to a folder, and checks their digests. */
export async function fetchFiles(
  store: Store,
  prefix: string,
  files: readonly ManifestFile[],
  folder: string,
  below?: string,
): Promise<void> {
  const keyOf = (path: string) => fileKey(prefix, below === undefined ? path : `${below}/${path}`);
  await fewAtOnce(files, (file) => downloadFile(store, keyOf(file.path), pathInside(folder, file.path), file));
}

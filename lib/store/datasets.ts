/** Keeps datasets. Their files lie below the digest of their contents, and a name points to a digest. */
import { z } from 'zod';
import { storeKey } from './keys.js';
import {
  digestOfFiles,
  fetchFiles,
  hasManifest,
  manifestOf,
  publishManifest,
  readJsonObject,
  readManifest,
  writeJsonObject,
  writeManifest,
} from './manifest.js';
import type { Store } from './store.js';

const recordSchema = z.object({
  digest: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256'),
  files: z.int().min(0),
  bytes: z.int().min(0),
  created: z.iso.datetime(),
});

/** Describes a dataset of the store. */
export interface StoredDataset extends z.output<typeof recordSchema> {
  name: string;
}

const NAMES = 'datasets';
const recordKey = (name: string) => storeKey(NAMES, `${name}.json`);
const contentPrefix = (digest: string) => storeKey('data', digest);

/**
 * Uploads the files of a folder as the dataset `name`, unless the store has the same contents already. An earlier
 * dataset of the name is replaced, but jobs that were submitted with it keep its contents.
 */
export async function publishDataset(store: Store, name: string, folder: string): Promise<StoredDataset> {
  const manifest = await manifestOf(folder);
  const digest = digestOfFiles(manifest.files);
  const prefix = contentPrefix(digest);
  await publishManifest(store, prefix, folder, manifest);
  const bytes = manifest.files.reduce((sum, { size }) => sum + size, 0);
  const record = { digest, files: manifest.files.length, bytes, created: new Date().toISOString() };
  await writeJsonObject(store, recordKey(name), record);
  return { name, ...record };
}

/** Describes a dataset. Throws ERR_NOT_FOUND. */
export async function readDataset(store: Store, name: string): Promise<StoredDataset> {
  return { name, ...(await readJsonObject(store, recordKey(name), recordSchema)) };
}

/** Lists the datasets, sorted by name. */
export async function* listDatasets(store: Store): AsyncGenerator<StoredDataset, void, undefined> {
  for await (const { key } of store.list(NAMES)) {
    const [, name] = /^datasets\/([^/]+)\.json$/.exec(key) ?? [];
    if (name !== undefined) yield await readDataset(store, name);
  }
}

/** Copies the contents with a digest to a folder. Throws ERR_NOT_FOUND, and ERR_STORE_DAMAGED with a damaged file. */
export async function fetchDataset(store: Store, digest: string, folder: string): Promise<void> {
  const prefix = contentPrefix(digest);
  const { files, source } = await readManifest(store, prefix);
  if (source) await fetchFiles(store, contentPrefix(source.digest), files, folder, source.folder);
  else await fetchFiles(store, prefix, files, folder);
}

/**
 * Makes a folder of a dataset a dataset of its own, without a name and without copies of its files. Returns its digest.
 * Throws ERR_NOT_FOUND, and the errors of the store.
 */
export async function publishFolder(store: Store, digest: string, folder: string): Promise<string> {
  const whole = await readManifest(store, contentPrefix(digest));
  const inside = `${folder}/`;
  const files = whole.files
    .filter(({ path }) => path.startsWith(inside))
    .map((file) => ({ ...file, path: file.path.slice(inside.length) }));
  const own = digestOfFiles(files);
  const { source = { digest, folder: '' } } = whole;
  const from = { digest: source.digest, folder: source.folder === '' ? folder : `${source.folder}/${folder}` };
  // The same folder of another dataset, or a dataset of these files alone, may have been published before.
  if (!(await hasManifest(store, contentPrefix(own))))
    await writeManifest(store, contentPrefix(own), { files, source: from });
  return own;
}

/** Finds the files of annotated datasets. Everything that an annotation names lies below the folder of its dataset. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { DatasetError, withFileErrors } from '../../core/errors.js';
import { foldersIn, isFolder, someOf } from '../folders.js';

export const isFile = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isFile() ?? false;

/** Lists the files of a folder with one of these endings, sorted by name. Hidden files and a missing folder have none. */
export async function filesIn(folder: string, endings: readonly string[]): Promise<string[]> {
  if (!(await isFolder(folder))) return [];
  const entries = await withFileErrors('read', folder, () => readdir(folder));
  const names = entries.filter(
    (name) => !name.startsWith('.') && endings.some((end) => name.toLowerCase().endsWith(end)),
  );
  const files: string[] = [];
  for (const name of names.sort()) if (await isFile(join(folder, name))) files.push(join(folder, name));
  return files;
}

/** Lists the files of a folder and its subfolders, at most `depth` levels down, as `filesIn` does. */
export async function filesBelow(folder: string, endings: readonly string[], depth: number): Promise<string[]> {
  const files = await filesIn(folder, endings);
  if (depth === 0 || !(await isFolder(folder))) return files;
  for (const { path } of await foldersIn(folder)) files.push(...(await filesBelow(path, endings, depth - 1)));
  return files;
}

/** Tools put annotations into these folders, beside those of the images. */
const ANNOTATION_FOLDERS = ['annotations', 'labels'];

/** Returns the folder of the dataset that a file of annotations belongs to. */
export function rootOf(file: string): string {
  const folder = dirname(resolve(file));
  return ANNOTATION_FOLDERS.includes(basename(folder).toLowerCase()) ? dirname(folder) : folder;
}

/** Returns a path relative to the dataset's folder, with `/` on every system. */
export const pathBelow = (root: string, path: string): string => relative(root, path).split(sep).join('/');

export const isInside = (root: string, path: string): boolean => {
  const below = relative(root, path);
  return below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below);
};

/**
 * Finds the image that an annotation names. `folders` are searched in turn. Throws ERR_DATASET_INVALID for an absolute
 * path, for a path that leads out of `root`, and for a missing file. `where` names the annotation.
 */
export async function findImage(
  name: string,
  folders: readonly string[],
  root: string,
  where: string,
): Promise<string> {
  const path = name.replaceAll('\\', '/');
  if (path === '' || path.startsWith('/') || /^[a-z]:/i.test(path)) {
    throw new DatasetError(`${where} names its image ${JSON.stringify(name)}: expected a path relative to ${root}`);
  }
  // File systems may have stored the name in another Unicode form.
  const forms = [...new Set([path, path.normalize('NFC'), path.normalize('NFD')])];
  const all = [...new Set(folders.map((folder) => resolve(folder)))];
  const places = all.filter((folder) => isInside(root, resolve(folder, path)));
  for (const folder of places) {
    for (const form of forms) if (await isFile(join(folder, form))) return join(folder, form);
  }
  // A path that climbs and is not found was most likely meant to lead out of the folder.
  if (places.length < all.length) {
    throw new DatasetError(
      `${where} names its image ${JSON.stringify(name)}, which leads out of ${root}: move the image there and correct the path, or open the folder that holds both`,
    );
  }
  throw new DatasetError(
    `${where} names the image ${name}, which is missing in ${someOf(places)}: add the image, or remove the entry`,
  );
}

/** Tells by a part of a path, such as `test` or `test2017`, that images are kept for tests. */
export const isTestName = (name: string): boolean => /(^|[^a-z])test(ing)?([^a-z]|$)/i.test(name);

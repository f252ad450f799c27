/** Lists the images and subfolders of dataset folders, and skips the files that do not belong to a dataset. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, parse } from 'node:path';
import { DatasetError, withFileErrors } from '../core/errors.js';
import { warn } from '../core/warnings.js';

/** The endings of supported image files. docs/images.md describes the formats. */
const IMAGE_ENDINGS = [
  '.png',
  '.jpg',
  '.jpeg',
  '.jpe',
  '.jfif',
  '.bmp',
  '.dib',
  '.tif',
  '.tiff',
  '.webp',
  '.gif',
  '.avif',
];

/** The endings of image formats that are not supported. Files with any other ending are not images, such as notes. */
const UNSUPPORTED_ENDINGS = [
  ...[
    '.heic',
    '.heif',
    '.hif',
    '.jp2',
    '.j2k',
    '.j2c',
    '.jpf',
    '.jpx',
    '.jpm',
    '.jxl',
    '.jxr',
    '.jls',
    '.svg',
    '.svgz',
  ],
  ...['.psd', '.psb', '.xcf', '.tga', '.pcx', '.ico', '.exr', '.hdr', '.pbm', '.pgm', '.ppm', '.pnm', '.pam', '.pfm'],
  ...['.dng', '.raw', '.cr2', '.cr3', '.nef', '.arw', '.orf', '.rw2', '.raf', '.pef', '.srw', '.x3f'],
  ...[
    '.dcm',
    '.dicom',
    '.nii',
    '.fits',
    '.fit',
    '.fts',
    '.czi',
    '.nd2',
    '.lif',
    '.mha',
    '.mhd',
    '.nrrd',
    '.npy',
    '.npz',
  ],
];

/** The names of files and folders that operating systems and network drives create. */
const SYSTEM_NAMES = [
  ...['__macosx', '@eadir', '#recycle', '@recycle', '$recycle.bin', 'system volume information', 'lost+found'],
  ...['thumbs.db', 'ehthumbs.db', 'desktop.ini', 'icon\r'],
];

/** The number of names that a message lists. */
const MAX_LISTED = 3;

/** A file or folder. */
export interface Entry {
  /** The name in NFC, so that names can be compared. */
  name: string;
  /** The path as the file system spells it. */
  path: string;
}

/** The subfolders and images of a folder, each sorted by name. */
interface Listing {
  folders: Entry[];
  images: Entry[];
  /** Images in formats that are not supported. */
  unsupported: Entry[];
}

const byName = (a: Entry, b: Entry) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
const endingOf = (name: string) => parse(name).ext.toLowerCase();
const isHidden = (name: string) => name.startsWith('.') || SYSTEM_NAMES.includes(name.toLowerCase());

export const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false;

/** Returns a file's name without its ending, in NFC. */
export const stemOf = (path: string): string => parse(path).name.normalize('NFC');

/** Lists the first few names and the number of the others, as in "a, b, c and 4 more". */
export function someOf(names: readonly string[]): string {
  const more = names.length - MAX_LISTED;
  return names.slice(0, MAX_LISTED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

async function list(folder: string): Promise<Listing> {
  const found: Listing = { folders: [], images: [], unsupported: [] };
  const names = await withFileErrors('read', folder, () => readdir(folder, { withFileTypes: true }));
  for (const entry of names) {
    if (isHidden(entry.name)) continue;
    const one = { name: entry.name.normalize('NFC'), path: join(folder, entry.name) };
    const target = entry.isSymbolicLink() ? await stat(one.path).catch(() => undefined) : entry;
    if (target && !target.isFile() && !target.isDirectory()) continue; // Reading a pipe would never end.
    if (target?.isDirectory()) found.folders.push(one);
    else if (IMAGE_ENDINGS.includes(endingOf(one.name))) found.images.push(one);
    else if (UNSUPPORTED_ENDINGS.includes(endingOf(one.name))) found.unsupported.push(one);
  }
  for (const entries of [found.folders, found.images, found.unsupported]) entries.sort(byName);
  return found;
}

/** Warns about images in unsupported formats. Throws ERR_DATASET_INVALID if the folder holds nothing else. */
function warnUnsupported(folder: string, { folders, images, unsupported }: Listing): void {
  if (unsupported.length === 0) return;
  const names = someOf(unsupported.map(({ path }) => basename(path)));
  if (images.length === 0 && folders.length === 0) {
    throw new DatasetError(
      `${folder} holds only images in formats that are not supported (${names}): save them as PNG`,
    );
  }
  warn(`Images in ${folder} are skipped because their format is not supported: ${names}. Save them as PNG.`);
}

/**
 * Lists the subfolders of a folder, including links to folders, sorted by name. Hidden folders and those of the
 * operating system are skipped. Throws ERR_DATASET_INVALID if two names are equal after Unicode normalisation.
 */
export async function foldersIn(folder: string): Promise<Entry[]> {
  const { folders } = await list(folder);
  for (const [i, { name, path }] of folders.entries()) {
    const next = folders[i + 1];
    if (next?.name === name) {
      throw new DatasetError(
        `${path} and ${next.path} have the same name, composed differently in Unicode: rename one of them`,
      );
    }
  }
  return folders;
}

/** Finds the subfolder with a name. If there is none, returns the path that it would have. */
export async function folderNamed(folder: string, name: string): Promise<string> {
  const entries = (await isFolder(folder)) ? await foldersIn(folder) : [];
  return entries.find((entry) => entry.name === name.normalize('NFC'))?.path ?? join(folder, name);
}

/**
 * Lists the image files of a folder, sorted by name. A warning names images in unsupported formats. Throws
 * ERR_DATASET_INVALID if there are no others.
 */
export async function imagesHere(folder: string): Promise<string[]> {
  const listing = await list(folder);
  warnUnsupported(folder, listing);
  return listing.images.map(({ path }) => path);
}

/**
 * Lists the image files of a folder that must hold all of its images itself. Throws ERR_DATASET_INVALID if a subfolder
 * other than `ignored` holds images.
 */
export async function imagesIn(folder: string, ignored?: string): Promise<string[]> {
  const { folders } = await list(folder);
  for (const { path } of folders) {
    if (path === ignored) continue;
    const { images, unsupported } = await list(path);
    if (images.length + unsupported.length > 0) {
      throw new DatasetError(`${path} is a folder with images inside a folder of images: move them to ${folder}`);
    }
  }
  return imagesHere(folder);
}

/** Lists the image files of a folder and all of its subfolders, sorted by path. A missing folder has none. */
export async function imagesBelow(folder: string, seen: ReadonlySet<string> = new Set()): Promise<string[]> {
  if (!(await isFolder(folder))) return [];
  const real = await realpath(folder);
  if (seen.has(real)) return []; // A link leads to a folder above this one.
  const listing = await list(folder);
  warnUnsupported(folder, listing);
  const images = listing.images.map(({ path }) => path);
  for (const { path } of listing.folders) images.push(...(await imagesBelow(path, new Set([...seen, real]))));
  return images;
}

/**
 * Throws ERR_DATASET_INVALID if two file names differ only in their endings. `what` describes the file that both would
 * share.
 */
export function refuseSameStems(files: readonly string[], what: (stem: string) => string): void {
  const seen = new Map<string, string>();
  for (const file of files) {
    const stem = stemOf(file);
    const other = seen.get(stem);
    if (other !== undefined)
      throw new DatasetError(`${other} and ${file} would share ${what(stem)}: rename one of them`);
    seen.set(stem, file);
  }
}

/** What counts in a folder: which names are images, which are types, and which are neither. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, parse } from 'node:path';
import { DatasetError, withFileErrors } from '../core/errors.js';
import { warn } from '../core/warnings.js';

/** Endings of the files that are read as images; docs/images.md. */
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

/** Endings of images that are not read. What has another ending is no image: notes, tables, annotations. */
const UNREAD_ENDINGS = [
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

/** Names that operating systems and network drives leave in folders. */
const SYSTEM_NAMES = [
  ...['__macosx', '@eadir', '#recycle', '@recycle', '$recycle.bin', 'system volume information', 'lost+found'],
  ...['thumbs.db', 'ehthumbs.db', 'desktop.ini', 'icon\r'],
];

const NAMED = 3;

/** A file or folder. */
export interface Entry {
  /** In NFC, by which names compare. */
  name: string;
  /** As the file system has it. */
  path: string;
}

/** Folders and images of a folder, each sorted by name. */
interface Listing {
  folders: Entry[];
  images: Entry[];
  /** Images in formats that are not read. */
  unread: Entry[];
}

const byName = (a: Entry, b: Entry) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
const endingOf = (name: string) => parse(name).ext.toLowerCase();
const isHidden = (name: string) => name.startsWith('.') || SYSTEM_NAMES.includes(name.toLowerCase());

export const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false;

/** A name without its ending, in NFC. */
export const stemOf = (path: string): string => parse(path).name.normalize('NFC');

/** The first few names of a list, and how many more there are. */
export function someOf(names: readonly string[]): string {
  const more = names.length - NAMED;
  return names.slice(0, NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

async function list(folder: string): Promise<Listing> {
  const found: Listing = { folders: [], images: [], unread: [] };
  const names = await withFileErrors('read', folder, () => readdir(folder, { withFileTypes: true }));
  for (const entry of names) {
    if (isHidden(entry.name)) continue;
    const one = { name: entry.name.normalize('NFC'), path: join(folder, entry.name) };
    const target = entry.isSymbolicLink() ? await stat(one.path).catch(() => undefined) : entry;
    if (target && !target.isFile() && !target.isDirectory()) continue; // a pipe would never end
    if (target?.isDirectory()) found.folders.push(one);
    else if (IMAGE_ENDINGS.includes(endingOf(one.name))) found.images.push(one);
    else if (UNREAD_ENDINGS.includes(endingOf(one.name))) found.unread.push(one);
  }
  for (const entries of [found.folders, found.images, found.unread]) entries.sort(byName);
  return found;
}

/** Tells of images in formats that are not read. Throws ERR_DATASET_INVALID where there is nothing else. */
function tellUnread(folder: string, { folders, images, unread }: Listing): void {
  if (unread.length === 0) return;
  const names = someOf(unread.map(({ path }) => basename(path)));
  if (images.length === 0 && folders.length === 0) {
    throw new DatasetError(
      `${folder} holds no image that is read, but ${names}, whose format is not: save them as PNG`,
    );
  }
  warn(`Images in ${folder} that are left out because their format is not read: ${names}. Save them as PNG.`);
}

/**
 * The folders of a folder, links to folders among them, sorted by name; hidden ones and those that systems leave are
 * none. Throws ERR_DATASET_INVALID where two names differ only in how their letters are composed.
 */
export async function foldersIn(folder: string): Promise<Entry[]> {
  const { folders } = await list(folder);
  for (const [i, { name, path }] of folders.entries()) {
    const next = folders[i + 1];
    if (next?.name === name) {
      throw new DatasetError(`${path} and ${next.path} have the same name, composed differently: rename one of them`);
    }
  }
  return folders;
}

/** The folder of a name in a folder; where there is none, the path that it would have. */
export async function folderNamed(folder: string, name: string): Promise<string> {
  const entries = (await isFolder(folder)) ? await foldersIn(folder) : [];
  return entries.find((entry) => entry.name === name.normalize('NFC'))?.path ?? join(folder, name);
}

/**
 * The image files of a folder, sorted by name. Images in formats that are not read are named in a warning, or in
 * ERR_DATASET_INVALID where there are no others.
 */
export async function imagesHere(folder: string): Promise<string[]> {
  const listing = await list(folder);
  tellUnread(folder, listing);
  return listing.images.map(({ path }) => path);
}

/** The same of a folder where all images lie: those in folders below are ERR_DATASET_INVALID, but for `ours`. */
export async function imagesIn(folder: string, ours?: string): Promise<string[]> {
  const { folders } = await list(folder);
  for (const { path } of folders) {
    if (path === ours) continue;
    const { images, unread } = await list(path);
    if (images.length + unread.length > 0) {
      throw new DatasetError(`${path} is a folder with images within a folder of images: move them to ${folder}`);
    }
  }
  return imagesHere(folder);
}

/** The image files of a folder and of those below it, sorted by path; none where it is missing. */
export async function imagesBelow(folder: string, seen: ReadonlySet<string> = new Set()): Promise<string[]> {
  if (!(await isFolder(folder))) return [];
  const real = await realpath(folder);
  if (seen.has(real)) return []; // a link to a folder above
  const listing = await list(folder);
  tellUnread(folder, listing);
  const images = listing.images.map(({ path }) => path);
  for (const { path } of listing.folders) images.push(...(await imagesBelow(path, new Set([...seen, real]))));
  return images;
}

/**
 * Throws ERR_DATASET_INVALID where two of the files have one name but for their endings: they would share what goes
 * by that name, `what`.
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

/** Tells the format of a dataset from its files. */
import { basename, dirname, join } from 'node:path';
import type { DataFormat } from '../../options/names.js';
import { foldersIn, isFolder } from '../folders.js';
import { cvatFileIn } from './cvat.js';
import { isCvatFile } from './cvat-xml.js';
import { filesBelow, filesIn, isFile, rootOf } from './files.js';
import { isPartFolder } from './folder-names.js';
import { guessJsonFormat, type JsonFormat, jsonFormatOf, readJsonData } from './json-file.js';
import { visaFolder } from './masks.js';
import { CLASS_FOLDER } from './voc.js';
import { yoloFileIn } from './yolo.js';

/** Folders hold many JSON files of one format, so the first ones tell which. */
const EXAMINED_FILES = 8;
/** Folders of these names do not hold a defect type. */
const NO_TYPES = ['images', 'labels', 'masks', 'annotations', 'good', 'ok'];

const hasFolder = (root: string, ...names: string[]) => isFolder(join(root, ...names));

/** Recognises the trees of MVTec AD and of BTAD, whose good images are `ok`. */
async function treeOf(root: string): Promise<DataFormat | undefined> {
  if (!(await hasFolder(root, 'test'))) return undefined;
  const types = (await foldersIn(join(root, 'test'))).map(({ name }) => name);
  const hasTypes = types.some((name) => !NO_TYPES.includes(name.toLowerCase()));
  if (!hasTypes && !(await hasFolder(root, 'ground_truth'))) return undefined;
  const isBtad = ((await hasFolder(root, 'train', 'ok')) || types.includes('ok')) && !types.includes('good');
  return isBtad && !(await hasFolder(root, 'train', 'good')) ? 'btad' : 'mvtec';
}

/** Tells whether a file of annotations belongs to a folder, or to a dataset of its own in a folder below. */
function isOwn(root: string, file: string, format: JsonFormat): boolean {
  const folder = dirname(file);
  if (folder === root || format === 'labelme') return true; // labelme puts files beside images, whatever their folder is.
  return rootOf(file) === root || (format === 'coco' && isPartFolder(basename(folder)));
}

/** Recognises JSON files. A file that is not JSON is only an error if nothing else is there. Its format is guessed. */
async function jsonIn(root: string): Promise<{ format?: DataFormat; guessed?: DataFormat; error?: unknown }> {
  let [error, guessed]: [unknown, DataFormat | undefined] = [undefined, undefined];
  const files = await filesBelow(root, ['.json'], 1);
  for (const file of files.slice(0, EXAMINED_FILES)) {
    try {
      const format = jsonFormatOf(await readJsonData(file));
      if (format && isOwn(root, file, format)) return { format };
    } catch (cause) {
      error ??= cause;
      const format = await guessJsonFormat(file).catch(() => undefined); // A file that cannot be read has no format.
      if (format && isOwn(root, file, format)) guessed ??= format;
    }
  }
  return { error, ...(guessed && { guessed }) };
}

/** Recognises masks beside images, and KolektorSDD among them. */
async function masksIn(root: string): Promise<DataFormat | undefined> {
  const endings = ['.png', '.bmp', '.jpg', '.tif', '.tiff'];
  const ends = (words: readonly string[]) => words.flatMap((word) => endings.map((ending) => `${word}${ending}`));
  const parts = await foldersIn(root);
  for (const { name, path } of parts) {
    if (/^kos\d+$/i.test(name) && (await filesIn(path, ends(['_label']))).length > 0) return 'kolektor';
    if (name === 'train' && (await filesIn(path, ends(['_gt']))).length > 0) return 'kolektor';
  }
  const hasSuffix = (await filesBelow(root, ends(['_mask', '-mask', '_label', '_gt', '_seg']), 2)).length > 0;
  if (hasSuffix) return 'masks';
  for (const { path } of [{ path: root }, ...parts]) {
    const names = (await foldersIn(path)).map(({ name }) => name.toLowerCase());
    const others = names.filter((name) => !['masks', 'mask', 'gt'].includes(name));
    if (others.length > 0 && others.length < names.length) return 'masks';
    if (names.includes('images') && names.includes('labels')) return 'masks';
  }
  return undefined;
}

async function formatOfFile(file: string): Promise<DataFormat | undefined> {
  if (/\.ya?ml$/i.test(file)) return 'yolo';
  if (/\.xml$/i.test(file)) return (await isCvatFile(file)) ? 'cvat' : undefined;
  if (!/\.json$/i.test(file)) return undefined;
  try {
    return jsonFormatOf(await readJsonData(file));
  } catch (error) {
    const guessed = await guessJsonFormat(file);
    if (guessed === undefined) throw error;
    return guessed; // Its reader throws the same error.
  }
}

/**
 * Tells the format of a file or folder. Returns undefined if none is recognised. Throws ERR_DATASET_INVALID if all that
 * is there is a JSON file that cannot be read and whose format cannot be guessed.
 */
export async function findFormat(path: string): Promise<DataFormat | undefined> {
  if (await isFile(path)) return formatOfFile(path);
  if (!(await isFolder(path))) return undefined;
  const isTree = await hasFolder(path, 'ground_truth');
  const tree = await treeOf(path);
  if (tree && isTree) return tree;
  if (await yoloFileIn(path)) return 'yolo';
  if (await cvatFileIn(path)) return 'cvat';
  if (await hasFolder(path, CLASS_FOLDER)) return 'voc';
  if (await isFolder(visaFolder(path))) return 'visa';
  const { format, guessed, error } = await jsonIn(path);
  const found = format ?? tree ?? (await masksIn(path)) ?? guessed;
  if (found === undefined && error !== undefined) throw error;
  return found;
}

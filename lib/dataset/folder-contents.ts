/** Reads category folders in MVTec AD's layout. */
import { basename, join, resolve } from 'node:path';
import { DatasetError } from '../core/errors.js';
import { GOOD_TYPE, isTypeName } from '../options/type-name.js';
import type { DatasetContents } from './contents.js';
import { folderNamed, foldersIn, imagesBelow, imagesIn, isFolder, refuseSameStems, stemOf } from './folders.js';
import { maskPathOf, masksIn, warnUnusedMasks } from './mask-files.js';

/** Opens a category folder. Throws ERR_DATASET_INVALID if the folder is missing or holds no defect type. */
export async function openFolder(folder: string): Promise<DatasetContents> {
  const path = resolve(folder);
  if (!(await isFolder(path))) throw new DatasetError(`The dataset folder ${path} does not exist`);
  const test = join(path, 'test');
  if (!(await isFolder(test))) {
    throw new DatasetError(`${path} is not a category in MVTec AD's layout: it has no folder test/<type>`);
  }
  const types = (await foldersIn(test)).filter(({ name }) => name !== GOOD_TYPE);
  const unsafe = types.find(({ name }) => !isTypeName(name));
  if (unsafe) throw new DatasetError(`${unsafe.path} cannot be a defect type with this name: rename the folder`);
  if (types.length === 0)
    throw new DatasetError(`${test} holds no defect type: expected a folder for each type beside good`);
  const folders = new Map(types.map((type) => [type.name, type.path]));
  return {
    folder: path,
    label: path,
    category: basename(path).normalize('NFC'),
    types: [...folders.keys()],
    examples: (type) => examplesIn(path, type, folders.get(type) as string),
    goodImages: (purpose) => imagesBelow(join(path, purpose, GOOD_TYPE)),
    goodPlace: (purpose) => join(path, purpose, GOOD_TYPE),
  };
}

/**
 * Returns every image of a type with its mask, sorted by name. A warning names the masks that have no image. Throws
 * ERR_DATASET_INVALID if two images or two masks have the same name.
 */
async function examplesIn(category: string, type: string, folder: string) {
  const images = await imagesIn(folder);
  refuseSameStems(images, (stem) => `the mask ${stem}_mask.png`);
  const maskFolder = await folderNamed(join(category, 'ground_truth'), type);
  const masks = await masksIn(maskFolder);
  warnUnusedMasks(masks, images, maskFolder);
  return images.map((image) => ({ name: stemOf(image), image, mask: maskPathOf(image, masks, maskFolder) }));
}

/** Lists the category folders in a folder, sorted by name. If the folder is itself a category, it is the only one. */
export async function categoryFolders(folder: string): Promise<string[]> {
  const path = resolve(folder);
  if ((await isFolder(join(path, 'test'))) || !(await isFolder(path))) return [path];
  const found: string[] = [];
  for (const entry of await foldersIn(path)) {
    if (await isFolder(join(entry.path, 'test'))) found.push(entry.path);
  }
  return found.length > 0 ? found : [path]; // Opening this folder then fails with an error that describes a category.
}

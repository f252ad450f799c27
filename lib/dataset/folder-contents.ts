/** Reads category folders in MVTec AD's layout. */
import { basename, join, resolve } from 'node:path';
import { DatasetError } from '../core/errors.js';
import { GOOD_TYPE, isTypeName } from '../options/type-name.js';
import type { DatasetContents } from './contents.js';
import type { Faults } from './faults.js';
import { folderNamed, foldersIn, imagesBelow, imagesIn, isFolder, refuseSameStems, stemOf } from './folders.js';
import { maskPathOf, masksIn, warnUnusedMasks } from './mask-files.js';
import { reviewedExamples } from './reviewed-pairs.js';

/**
 * Opens a category folder. Its good images lie in folders called `good`. Throws ERR_DATASET_INVALID if the folder is
 * missing or holds nothing of a category. Folders that no type can be called after are faults, and so is a category without
 * any type if `needsTypes` is true.
 */
export async function openFolder(
  folder: string,
  needsTypes: boolean,
  faults: Faults,
  good = GOOD_TYPE,
): Promise<DatasetContents> {
  const path = resolve(folder);
  if (!(await isFolder(path))) throw new DatasetError(`The dataset folder ${path} does not exist`);
  const test = join(path, 'test');
  const isCategory = (await isFolder(test)) || (!needsTypes && (await isFolder(join(path, 'train', good))));
  if (!isCategory) {
    throw new DatasetError(
      `${path} is not a category in MVTec AD's layout: it has no folder ${needsTypes ? 'test/<type>' : `train/${good}`}, and no other format was found`,
    );
  }
  const folders = (await isFolder(test)) ? await foldersIn(test) : [];
  const named = folders.filter(({ name }) => name !== good);
  const types = named.filter(({ name }) => isTypeName(name));
  for (const unsafe of named.filter(({ name }) => !isTypeName(name))) {
    faults.add(new DatasetError(`${unsafe.path} cannot be a defect type with this name: rename the folder`));
  }
  if (named.length === 0 && needsTypes)
    faults.add(new DatasetError(`${test} holds no defect type: expected a folder for each type beside ${good}`));
  const pathOf = new Map(types.map((type) => [type.name, type.path]));
  return {
    folder: path,
    label: path,
    category: basename(path).normalize('NFC'),
    types: [...pathOf.keys()],
    examples: (type) => examplesIn(path, type, pathOf.get(type) as string),
    goodImages: (purpose) => imagesBelow(join(path, purpose, good)),
    goodPlace: (purpose) => join(path, purpose, good),
  };
}

/**
 * Returns every image of a type with its mask, sorted by name. If they are generated pairs, their review is applied. A
 * warning names the masks that have no image. Throws ERR_DATASET_INVALID if two images or two masks have the same name.
 */
async function examplesIn(category: string, type: string, folder: string) {
  const images = await imagesIn(folder);
  refuseSameStems(images, (stem) => `the mask ${stem}_mask.png`);
  const maskFolder = await folderNamed(join(category, 'ground_truth'), type);
  const masks = await masksIn(maskFolder);
  warnUnusedMasks(masks, images, maskFolder);
  const examples = images.map((image) => ({
    ...{ name: stemOf(image), image },
    mask: maskPathOf(image, masks, maskFolder),
  }));
  return reviewedExamples(category, examples);
}

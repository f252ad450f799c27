/** Finds images with their masks, in folders side by side or in one folder, by the names of the files. */
import { parse } from 'node:path';
import { DatasetError } from '../../core/errors.js';
import { warn } from '../../core/warnings.js';
import { imagesBelow, someOf } from '../folders.js';
import { pathBelow } from './files.js';

/** An image, and its mask if there is one. */
export interface MaskPair {
  image: string;
  mask: string | undefined;
  /** The path of the image below the folder of the dataset. */
  path: string;
  /** The names of the folders above the image, without those that only hold images. */
  folders: readonly string[];
}

/** The names of folders that hold only images, or only masks. */
const IMAGE_FOLDERS = ['images', 'image', 'imgs', 'img', 'data', 'abnormal'];
const MASK_FOLDERS = ['masks', 'mask', 'ground_truth', 'groundtruth', 'gt', 'labels', 'annotations', 'segmentation'];
/** The names of masks end with one of these words, where they lie beside their images. */
const SUFFIX = /[_-](mask|label|labels|gt|seg|segmentation)$/i;

const isOneOf = (names: readonly string[], name: string) => names.includes(name.toLowerCase());

/** Splits a path into the name that an image and its mask share, and what tells that it is a mask. */
function describe(path: string) {
  const { dir, name } = parse(path.normalize('NFC'));
  const parts = dir === '' ? [] : dir.split('/');
  const folders = parts.filter((part) => !isOneOf(IMAGE_FOLDERS, part) && !isOneOf(MASK_FOLDERS, part));
  const isInMaskFolder = parts.some((part) => isOneOf(MASK_FOLDERS, part));
  const stem = name.replace(SUFFIX, '');
  const isMask = isInMaskFolder || stem !== name;
  return { key: [...folders, isMask ? stem : name].join('/'), folders, isMask };
}

/**
 * Lists the images below a folder with their masks, sorted by path. A warning names masks without an image. Throws
 * ERR_DATASET_INVALID if an image has two masks, or if two images would share one.
 */
export async function maskPairsBelow(root: string): Promise<MaskPair[]> {
  const masks = new Map<string, string>();
  const images = new Map<string, MaskPair>();
  for (const file of await imagesBelow(root)) {
    const path = pathBelow(root, file);
    const { key, folders, isMask } = describe(path);
    const other = isMask ? masks.get(key) : images.get(key)?.image;
    if (other !== undefined) {
      const share = isMask ? 'are masks of one image' : 'would share one mask';
      throw new DatasetError(`${other} and ${file} ${share}: rename or remove one of them`);
    }
    if (isMask) masks.set(key, file);
    else images.set(key, { image: file, mask: undefined, path, folders });
  }
  const unused = [...masks].filter(([key]) => !images.has(key)).map(([, file]) => pathBelow(root, file));
  if (unused.length > 0) warn(`Masks in ${root} belong to no image: ${someOf(unused)}.`);
  return [...images].map(([key, pair]) => ({ ...pair, mask: masks.get(key) }));
}

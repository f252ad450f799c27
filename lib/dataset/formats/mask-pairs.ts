/** Finds images with their masks, in folders side by side or in one folder, by the names of the files. */
import { parse } from 'node:path';
import { DatasetError } from '../../core/errors.js';
import { warn } from '../../core/warnings.js';
import type { Faults } from '../faults.js';
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
  /** Those of them that lie in a folder of images. */
  below: readonly string[];
}

/** The names of folders that hold only images, or only masks. */
const IMAGE_FOLDERS = ['images', 'image', 'imgs', 'img', 'data', 'abnormal'];
const MASK_FOLDERS = ['masks', 'mask', 'ground_truth', 'groundtruth', 'gt', 'labels', 'annotations', 'segmentation'];
/** The names of masks end with one of these words, where they lie beside their images, and often elsewhere. */
const SUFFIX = /[_-](mask|label|labels|gt|seg|segmentation)$/i;

const isOneOf = (names: readonly string[], name: string) => names.includes(name.toLowerCase());

const isNoName = (name: string) => isOneOf(IMAGE_FOLDERS, name) || isOneOf(MASK_FOLDERS, name);
const withoutSuffix = (path: string) => path.replace(SUFFIX, '');

/** A file, whose key an image and its mask share. */
interface Described extends Omit<MaskPair, 'image' | 'mask'> {
  file: string;
  key: string;
  place: 'images' | 'masks' | 'other';
}

/** Splits the path of a file into the names that an image and its mask share, and what tells that it is a mask. */
function describe(root: string, file: string): Described {
  const path = pathBelow(root, file);
  const { dir, name } = parse(path.normalize('NFC'));
  const parts = dir === '' ? [] : dir.split('/');
  const folders = parts.filter((part) => !isNoName(part));
  const last = parts.findLastIndex((part) => isOneOf(IMAGE_FOLDERS, part));
  const below = last < 0 ? [] : parts.slice(last + 1);
  const place = parts.some((part) => isOneOf(MASK_FOLDERS, part)) ? 'masks' : last < 0 ? 'other' : 'images';
  return { file, path, folders, below, place, key: [...folders, name].join('/') };
}

/**
 * Lists the images below a folder with their masks, sorted by path. A warning names masks without an image. Second masks
 * of an image, and images that would share the mask of another one, are faults (ERR_DATASET_INVALID).
 */
export async function maskPairsBelow(root: string, faults: Faults): Promise<MaskPair[]> {
  const files = (await imagesBelow(root)).map((file) => describe(root, file));
  const haveFolder = files.some(({ place }) => place === 'masks');
  // A name such as `a_label.png` among the images is that of an image if masks have a folder of their own.
  const isMask = ({ key, place }: Described) =>
    place === 'masks' || (key !== withoutSuffix(key) && !(haveFolder && place === 'images'));
  const images = new Map<string, MaskPair>();
  for (const one of files.filter((each) => !isMask(each))) {
    const { file, key, path, folders, below } = one;
    const other = images.get(key)?.image;
    if (other !== undefined) {
      faults.add(new DatasetError(`${other} and ${file} would share one mask: rename or remove one of them`));
      continue;
    }
    images.set(key, { image: file, mask: undefined, path, folders, below });
  }
  const masks = new Map<string, string>();
  for (const { file, key: own } of files.filter(isMask)) {
    const key = images.has(own) ? own : withoutSuffix(own);
    const other = masks.get(key);
    if (other !== undefined) {
      faults.add(new DatasetError(`${other} and ${file} are masks of one image: rename or remove one of them`));
      continue;
    }
    masks.set(key, file);
  }
  const unused = [...masks].filter(([key]) => !images.has(key)).map(([, file]) => pathBelow(root, file));
  if (unused.length > 0) warn(`Masks in ${root} belong to no image: ${someOf(unused)}.`);
  return [...images].map(([key, pair]) => ({ ...pair, mask: masks.get(key) }));
}

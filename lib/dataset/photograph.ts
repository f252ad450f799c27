/** Lists and opens the good photographs that defects are placed in. */
import { stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { DatasetError, InvalidOptionError } from '../core/errors.js';
import { type RawImage, withoutColour } from '../core/image.js';
import type { DataFormat } from '../options/names.js';
import { imagesBelow, isFolder } from './folders.js';
import { findFormat } from './formats/find-format.js';
import { openData, refuseSeveral } from './formats/open.js';
import { readStored, type Stored } from './image-file.js';
import {
  EXPECTED_IMAGE,
  type ImageGroup,
  ImageInMemory,
  type ImageInput,
  type ImageSource,
  isImageInput,
  labelOf,
} from './image-source.js';

/** A decoded photograph. */
export interface Photograph {
  source: ImageSource;
  /** The photograph's name in messages. */
  label: string;
  /** It has one channel if the photograph is grey. */
  image: RawImage;
  stored: Stored;
}

/** Returns the folder whose images are photographs: `train/good` of a category folder, or the folder itself. */
async function photographFolder(folder: string): Promise<string> {
  const good = join(folder, 'train', 'good');
  return (await isFolder(good)) ? good : folder;
}

/** Throws ERR_INVALID_OPTION if images in `out` would be among the photographs of the next call. */
export async function refuseOutInside(onto: string, out: string): Promise<void> {
  const folder = await photographFolder(resolve(onto));
  const below = relative(folder, resolve(out));
  if (below === '..' || below.startsWith(`..${sep}`) || !(await isFolder(folder))) return;
  throw new InvalidOptionError(
    `Expected a folder outside of ${folder} for out but received ${out}: its images would be taken for photographs`,
  );
}

/**
 * Lists photographs: a file, every image below a folder, or the good images for training of a dataset in any format, such
 * as those in `train/good` of MVTec AD's layout. Images in memory are named by their place in the list, such as `onto[3]`.
 * Throws ERR_DATASET_INVALID if there are none, or if a folder holds several datasets.
 */
export async function photographsOf(onto: string | readonly (ImageInput | ImageSource)[]): Promise<ImageSource[]> {
  if (typeof onto !== 'string') return listed(onto);
  const path = resolve(onto);
  if (!(await stat(path).catch(() => undefined))) {
    throw new DatasetError(`${path} does not exist: expected a photograph, or a folder of photographs`);
  }
  const folder = await photographFolder(path);
  const format = folder === path ? await findFormat(path) : undefined;
  if (format !== undefined) return goodImagesOf(path, format);
  if (!(await isFolder(path))) return [path];
  if (folder === path) await refuseSeveral(path);
  const images = await imagesBelow(folder);
  if (images.length === 0) throw new DatasetError(`${folder} holds no photographs`);
  return images;
}

async function goodImagesOf(path: string, format: DataFormat): Promise<ImageSource[]> {
  const { contents } = await openData(path, format, false);
  const images = await contents.goodImages('train');
  if (images.length > 0) return images;
  throw new DatasetError(
    `${path} (read as ${format}) has no good photographs: expected some at ${contents.goodPlace('train')}`,
  );
}

function listed(onto: readonly (ImageInput | ImageSource)[]): ImageSource[] {
  if (!Array.isArray(onto) || onto.length === 0) {
    throw new InvalidOptionError('Expected a folder, a file, or a list of images that is not empty for onto');
  }
  const group: ImageGroup = { label: 'onto', images: [] };
  return onto.map((image, i) => {
    if (image instanceof ImageInMemory) return image;
    if (!isImageInput(image)) {
      throw new InvalidOptionError(`Expected ${EXPECTED_IMAGE} for onto[${i}] but received ${typeof image}`);
    }
    if (typeof image === 'string') return resolve(image);
    const source = new ImageInMemory(`onto[${i}]`, `onto_${String(i).padStart(3, '0')}`, image, group);
    group.images.push(source);
    return source;
  });
}

/** Opens photographs one at a time. It keeps the last one, so that no more than one is in memory. */
export class PhotographReader {
  #last: Photograph | undefined;

  /** Throws ERR_DATASET_INVALID with the file that cannot be read. */
  async open(source: ImageSource): Promise<Photograph> {
    if (this.#last?.source === source) return this.#last;
    this.#last = undefined; // It must be free before the next one is decoded.
    const { image, stored } = await readStored(source);
    this.#last = { source, label: labelOf(source), image: withoutColour(image), stored };
    return this.#last;
  }
}

/** The foreground of an image, M_f: what background compensation leaves out. */
import { join, parse, resolve } from 'node:path';
import { DatasetError } from '../core/errors.js';
import { RawImage } from '../core/image.js';
import type { FindForeground } from '../dataset/dataset.js';
import { fewAtOnce } from '../dataset/few-at-once.js';
import { binarize, type Fit, fitAround } from '../dataset/fit.js';
import { refuseSameStems } from '../dataset/folders.js';
import { type Kernel, readStored, type Stored } from '../dataset/image-file.js';
import { type ImageSource, labelOf } from '../dataset/image-source.js';
import { readMaskOf } from '../dataset/mask-file.js';
import { foregroundPathOf, masksIn } from '../dataset/mask-files.js';
import type { ForegroundOptions } from '../options/generated.js';
import { Masker } from './masker.js';

/** Masks in a folder, a mask model that is shown the image, or none: all of the image is background. */
export type ForegroundSource = 'none' | { folder: string } | { masker: Masker };

/** A good image as a square, and its foreground as one channel of 0 and 255. */
export interface Background {
  /** This is the file's path. An image in memory has its place in the list instead, such as `good[3]`. */
  label: string;
  image: RawImage;
  foreground: RawImage;
}

/** Calls `use` with the source that the options ask for, which lives as long as the call. */
export async function withForegroundSource<T>(
  { foregroundMasks, foregroundWeights }: ForegroundOptions,
  device: string,
  use: (source: ForegroundSource) => Promise<T>,
): Promise<T> {
  if (foregroundMasks === 'none') return use('none');
  if (foregroundMasks !== undefined) return use({ folder: resolve(foregroundMasks) });
  await using masker = await Masker.load(foregroundWeights, { device });
  return await use({ masker });
}

/**
 * `<name>_mask` or `<name>` in the folder, with any image ending, of the image's size. The name of an image in memory is
 * its type and its place, such as `good_003`.
 */
async function readForeground(folder: string, image: Stored): Promise<RawImage> {
  const { source } = image;
  const found = foregroundPathOf(source, await masksIn(folder));
  if (found === undefined) {
    const name = typeof source === 'string' ? parse(source).name : source.stem;
    throw new DatasetError(`${labelOf(source)} has no foreground mask: expected ${join(folder, `${name}_mask.png`)}`);
  }
  return readMaskOf(image, found, 'foreground mask');
}

/**
 * The image's foreground, fitted as the image is: `refit` makes a mask of the file's size into what `fitted` shows.
 * Throws ERR_DATASET_INVALID naming the file.
 */
export async function foregroundOf(
  source: ForegroundSource,
  image: Stored,
  fitted: RawImage,
  refit: (mask: RawImage) => Promise<RawImage>,
): Promise<RawImage> {
  const { width, height } = fitted;
  if (source === 'none') return new RawImage({ data: new Uint8Array(width * height), width, height, channels: 1 });
  if ('masker' in source) return source.masker.mask(fitted);
  return binarize(await refit(await readForeground(source.folder, image)));
}

/** Makes the function with which `Dataset.load` finds foregrounds. */
export const foregroundFinder =
  (source: ForegroundSource): FindForeground =>
  (image, fitted, refit) =>
    foregroundOf(source, image, fitted, refit);

/**
 * Decodes good images to squares of `resolution` around their middle, resized by `kernel` (`linear` by default, as
 * published).
 */
export async function loadBackgrounds(
  images: readonly ImageSource[],
  resolution: number,
  fit: Fit,
  source: ForegroundSource,
  kernel?: Kernel,
): Promise<Background[]> {
  if (source !== 'none' && 'folder' in source) {
    const files = images.filter((image) => typeof image === 'string');
    refuseSameStems(files, (stem) => `the foreground mask ${stem}_mask.png`);
  }
  return fewAtOnce(images, async (from) => {
    const { image, stored } = await readStored(from);
    const refit = (picture: RawImage) => fitAround(picture, undefined, resolution, fit);
    const fitted = await fitAround(image, undefined, resolution, fit, kernel);
    return { label: labelOf(from), image: fitted, foreground: await foregroundOf(source, stored, fitted, refit) };
  });
}

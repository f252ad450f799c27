/** The foreground of an image, M_f: what background compensation leaves out. */
import { existsSync } from 'node:fs';
import { join, parse, resolve } from 'node:path';
import type { z } from 'zod';
import { DatasetError } from '../errors.js';
import type { RawImage } from '../image.js';
import { Masker } from '../masker.js';
import type { foregroundSchema } from '../options/schemas.js';
import { binarize, type Fit, fitAround } from './fit.js';
import { type Kernel, readImage, readMask } from './image-file.js';

/** Masks in a folder, a mask model that is shown the image, or none: all of the image is background. */
export type ForegroundSource = 'none' | { folder: string } | { masker: Masker };

/** A good image as a square, and its foreground as one channel of 0 and 255. */
export interface Background {
  /** The file. */
  file: string;
  image: RawImage;
  foreground: RawImage;
}

/**
 * Where foregrounds come from.
 * @interface
 */
export type ForegroundOptions = z.output<typeof foregroundSchema>;

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

const ENDINGS = ['.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff'];

/** `<name>_mask.png` or `<name>.png` (or another image ending) in the folder, of the image's size. */
async function readForeground(folder: string, file: string, image: RawImage): Promise<RawImage> {
  const { name } = parse(file);
  const candidates = [`${name}_mask`, name].flatMap((stem) => ENDINGS.map((ending) => join(folder, stem + ending)));
  const found = candidates.find((path) => existsSync(path));
  if (!found) throw new DatasetError(`${file} has no foreground mask: expected ${candidates[0]}`);
  const mask = await readMask(found);
  if (mask.width !== image.width || mask.height !== image.height) {
    throw new DatasetError(
      `The foreground mask ${found} is ${mask.width} x ${mask.height}, but its image ${file} is ${image.width} x ${image.height}`,
    );
  }
  return mask;
}

/**
 * The image's foreground, fitted as the image is: `refit` makes a mask of the file's size into what `fitted` shows.
 * Throws ERR_DATASET_INVALID naming the file.
 */
export async function foregroundOf(
  source: ForegroundSource,
  file: string,
  image: RawImage,
  fitted: RawImage,
  refit: (mask: RawImage) => Promise<RawImage>,
): Promise<RawImage> {
  const { width, height } = fitted;
  if (source === 'none') return { data: new Uint8Array(width * height), width, height, channels: 1 };
  if ('masker' in source) return source.masker.mask(fitted);
  return binarize(await refit(await readForeground(source.folder, file, image)));
}

/**
 * Decodes good images to squares of `resolution` around their middle, resized by `kernel` (`linear` by default, as
 * published).
 */
export function loadBackgrounds(
  files: string[],
  resolution: number,
  fit: Fit,
  source: ForegroundSource,
  kernel?: Kernel,
): Promise<Background[]> {
  return Promise.all(
    files.map(async (file) => {
      const image = await readImage(file);
      const refit = (picture: RawImage) => fitAround(picture, undefined, resolution, fit);
      const fitted = await fitAround(image, undefined, resolution, fit, kernel);
      return { file, image: fitted, foreground: await foregroundOf(source, file, image, fitted, refit) };
    }),
  );
}

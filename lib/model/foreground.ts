/** Finds the foreground of an image, M_f, which background compensation leaves out. */
import { basename, resolve } from 'node:path';
import { fewAtOnce } from '../core/few-at-once.js';
import { RawImage } from '../core/image.js';
import type { FindForeground } from '../dataset/dataset.js';
import { binarize, fitAround } from '../dataset/fit.js';
import { refuseSameStems } from '../dataset/folders.js';
import { type Kernel, readStored, type Stored } from '../dataset/image-file.js';
import { type ImageSource, labelOf } from '../dataset/image-source.js';
import { readMaskOf } from '../dataset/mask-file.js';
import { masksIn, namedMaskOf } from '../dataset/mask-files.js';
import { boxWithoutDefect } from '../dataset/region-plan.js';
import { cutRegion, type Scale, withForeground } from '../dataset/regions.js';
import type { ForegroundOptions } from '../options/generated.js';
import type { Fit } from '../options/names.js';
import { foregroundModel } from '../weights/locate.js';
import { Masker } from './masker.js';

/** Foregrounds come from a folder of masks or from a mask model. With 'none', all of an image is background. */
export type ForegroundSource = 'none' | { folder: string } | { masker: Masker };

/** Holds a good image as a square, and its foreground as one channel of 0 and 255. */
export interface Background {
  /** This is the file's path. An image in memory is named by its place in the list instead, such as `good[3]`. */
  label: string;
  image: RawImage;
  foreground: RawImage;
}

/**
 * Names what finds the foregrounds: `none`, `masks`, the file of the weights, or the model that is used without options.
 * A resumed run compares the name, because newly installed weights would change its foregrounds.
 */
export function foregroundName({ foregroundMasks, foregroundWeights }: ForegroundOptions): string {
  if (foregroundMasks !== undefined) return foregroundMasks === 'none' ? 'none' : 'masks';
  return foregroundWeights === undefined ? foregroundModel().name : basename(foregroundWeights);
}

/** A source with the mask model that it may have loaded. */
interface OpenForegroundSource extends AsyncDisposable {
  source: ForegroundSource;
}

/**
 * Opens the source that the options select. Without options, the most accurate model that is installed finds the
 * foregrounds.
 */
export async function openForegroundSource(
  { foregroundMasks, foregroundWeights }: ForegroundOptions,
  device: string,
): Promise<OpenForegroundSource> {
  if (foregroundMasks !== undefined) {
    const source = foregroundMasks === 'none' ? foregroundMasks : { folder: resolve(foregroundMasks) };
    return { source, [Symbol.asyncDispose]: async () => {} };
  }
  const masker = await Masker.load(foregroundWeights ?? foregroundModel().file, { device });
  return { source: { masker }, [Symbol.asyncDispose]: () => masker.dispose() };
}

/** Calls `use` with the source that the options select, and disposes of the source afterwards. */
export async function withForegroundSource<T>(
  options: ForegroundOptions,
  device: string,
  use: (source: ForegroundSource) => Promise<T>,
): Promise<T> {
  await using opened = await openForegroundSource(options, device);
  return await use(opened.source);
}

/** Reads the mask of an image in the folder. It must have the image's size. */
async function readForeground(folder: string, image: Stored): Promise<RawImage> {
  const what = 'foreground mask';
  return readMaskOf(image, namedMaskOf(image.source, await masksIn(folder), folder, what), what);
}

/**
 * Returns the image's foreground for the square `fitted`. `refit` crops and resizes a mask as the image was cropped and
 * resized. Throws ERR_DATASET_INVALID with the file.
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

/** Returns the function with which `Dataset.load` finds foregrounds. */
export const foregroundFinder =
  (source: ForegroundSource): FindForeground =>
  (image, fitted, refit) =>
    foregroundOf(source, image, fitted, refit);

/** Throws ERR_DATASET_INVALID if two images would share a foreground mask. */
function requireOwnMasks(images: readonly ImageSource[], source: ForegroundSource): void {
  if (source === 'none' || !('folder' in source)) return;
  const files = images.filter((image) => typeof image === 'string');
  refuseSameStems(files, (stem) => `the foreground mask ${stem}_mask.png`);
}

/**
 * Cuts a window out of each good image, at the scale of an adapter that was trained on windows. One image is in memory at
 * a time.
 */
export async function loadBackgroundWindows(
  images: readonly ImageSource[],
  scale: Scale,
  source: ForegroundSource,
): Promise<Background[]> {
  requireOwnMasks(images, source);
  const backgrounds: Background[] = [];
  for (const [index, from] of images.entries()) {
    const { image, stored } = await readStored(from);
    const photograph = await withForeground(image, undefined, stored, foregroundFinder(source));
    const box = boxWithoutDefect(index, image, scale.window, scale.window);
    const { pixels, foregroundPixels } = await cutRegion(photograph, box, scale);
    backgrounds.push({ label: labelOf(from), image: pixels, foreground: foregroundPixels as RawImage });
  }
  return backgrounds;
}

/**
 * Decodes good images to squares of `resolution` pixels around their middle. They are resized by `kernel`, by default
 * `linear` as in the published code.
 */
export async function loadBackgrounds(
  images: readonly ImageSource[],
  resolution: number,
  fit: Fit,
  source: ForegroundSource,
  kernel?: Kernel,
): Promise<Background[]> {
  requireOwnMasks(images, source);
  return fewAtOnce(images, async (from) => {
    const { image, stored } = await readStored(from);
    const refit = (picture: RawImage) => fitAround(picture, undefined, resolution, fit);
    const fitted = await fitAround(image, undefined, resolution, fit, kernel);
    return { label: labelOf(from), image: fitted, foreground: await foregroundOf(source, stored, fitted, refit) };
  });
}

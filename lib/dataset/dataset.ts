import { createHash } from 'node:crypto';
import { DatasetError } from '../core/errors.js';
import type { RawImage } from '../core/image.js';
import type { DatasetContents, Purpose } from './contents.js';
import { type Example, type LoadedExample, readExample } from './example-file.js';
import { fewAtOnce } from './few-at-once.js';
import { binarize, boundingBox, type Fit, fitAround } from './fit.js';
import { categoryFolders, openFolder } from './folder-contents.js';
import type { Kernel, Stored } from './image-file.js';
import { type ImageSource, labelOf } from './image-source.js';
import { tellUnmarked } from './mask-files.js';
import { contentsOf, type DatasetInput } from './memory-contents.js';

export type { Example, LoadedExample } from './example-file.js';

/**
 * Finds the foreground of an image: one channel of 0 and 255, as large as `fitted`, which is the image as training sees it.
 * `refit` cuts and resizes a mask of the image's size in the same way.
 */
export type FindForeground = (
  image: Stored,
  fitted: RawImage,
  refit: (mask: RawImage) => Promise<RawImage>,
) => Promise<RawImage>;

/**
 * A dataset holds the images of one category: defects of several types with their masks, and good images.
 *
 * @example
 * const dataset = await Dataset.open('bottle');
 * console.log(dataset.types);
 */
export class Dataset {
  readonly #contents: DatasetContents;

  private constructor(contents: DatasetContents) {
    this.#contents = contents;
  }

  /** The folder is undefined where the images were given one by one. */
  get folder(): string | undefined {
    return this.#contents.folder;
  }

  /** Messages call a dataset by its folder, or as `dataset` with its category. */
  get label(): string {
    return this.#contents.label;
  }

  /** The category is the folder's name in NFC, or the one that `from` was given. */
  get category(): string {
    return this.#contents.category;
  }

  /** The defect types in NFC, sorted by name. */
  get types(): readonly string[] {
    return this.#contents.types;
  }

  /**
   * Opens a category folder in MVTec AD's layout: `train/good`, `test/<type>`, `ground_truth/<type>/<name>_mask.png`.
   * Throws ERR_DATASET_INVALID where the folder is missing or holds no defect type.
   */
  static async open(folder: string): Promise<Dataset> {
    return new Dataset(await openFolder(folder));
  }

  /**
   * Makes a dataset of images that lie anywhere. Each is a path, the bytes of a file, or pixels. They are decoded and
   * checked when they are used. Errors name an image in memory by its place, such as `crack[2].mask`.
   * Throws ERR_INVALID_OPTION naming the entry that is no image, or the name that no defect type may have.
   *
   * @example
   * const dataset = Dataset.from({ types: { crack: [{ image, mask }] }, good: [photograph] });
   */
  static from(input: DatasetInput): Dataset {
    return new Dataset(contentsOf(input));
  }

  /** Returns the folder itself where it is a category, else the categories in it, sorted by name. */
  static categoriesIn(folder: string): Promise<string[]> {
    return categoryFolders(folder);
  }

  /** Opens the categories of a folder. Throws ERR_DATASET_INVALID where there is none. */
  static async openAll(folder: string): Promise<Dataset[]> {
    const categories: Dataset[] = [];
    for (const path of await categoryFolders(folder)) categories.push(await Dataset.open(path));
    return categories;
  }

  /**
   * Lists every image of a type. Those of a folder are sorted by name; others keep the order in which they were given.
   * Throws ERR_DATASET_INVALID for an unknown type, naming those that there are, and for images or masks that share a name.
   * A warning names masks without an image.
   */
  async examples(type: string): Promise<Example[]> {
    const name = type.normalize('NFC');
    if (!this.types.includes(name)) {
      throw new DatasetError(`${this.label} has no defect type ${type}; it has ${this.types.join(', ')}`);
    }
    return this.#contents.examples(name);
  }

  /**
   * Lists the good images that train (`train/good` and the folders in it, or `good`), or those that an evaluation tests on
   * (`test/good`, or `testGood`). Those of a folder are sorted by path. The list is empty where the folder is missing.
   */
  goodImages(purpose: Purpose = 'train'): Promise<ImageSource[]> {
    return this.#contents.goodImages(purpose);
  }

  /**
   * Messages say so where good images belong.
   * @internal
   */
  goodPlace(purpose: Purpose = 'train'): string {
    return this.#contents.goodPlace(purpose);
  }

  /**
   * Lists the images of a type that train. `share` is `all`, a number of images, or a fraction `a/b` (rounded down, at least
   * one image). A number or fraction takes the first images, or with `@k` behind it the k-th part of that size. The rest is
   * for testing; a warning names those of it that have no mask.
   * Throws ERR_DATASET_INVALID where there are too few images, and where a fraction of a single image is asked for.
   */
  async trainingExamples(type: string, share: number | string = 'all'): Promise<Example[]> {
    const all = await this.examples(type);
    const [start, end] = this.#partOf(all.length, type, share);
    const chosen = all.slice(start, end);
    tellUnmarked(all.filter((example) => !chosen.includes(example)));
    return chosen;
  }

  #partOf(total: number, type: string, share: number | string): [start: number, end: number] {
    const [size = '', part = '1'] = (share === 'all' ? '1/1' : String(share)).split('@');
    const [a, b] = size.split('/').map(Number) as [number, number | undefined];
    const isSplit = b !== undefined && a < b;
    const has = `${this.label} has ${total} image${total === 1 ? '' : 's'} of ${type}`;
    if (total === 0) throw new DatasetError(`${has}: training needs at least 1`);
    if (isSplit && total < 2) {
      throw new DatasetError(
        `${has}: training on ${share} of them needs at least 2, so that some are left; or train on all`,
      );
    }
    const count = b === undefined ? a : Math.max(1, Math.floor((total * a) / b));
    const end = count * Number(part);
    if (end > total) {
      throw new DatasetError(`${has}, but ${share} are asked for: take fewer, or an earlier part`);
    }
    return [end - count, end];
  }

  /**
   * Decodes examples to squares of `resolution`, with their foregrounds where a function finds them. Images are resized by
   * `kernel`, `linear` by default as published; masks always linearly.
   * Throws ERR_DATASET_INVALID naming the file and what is wrong.
   */
  static load(
    examples: readonly Example[],
    resolution: number,
    fit: Fit,
    findForeground?: FindForeground,
    kernel?: Kernel,
  ): Promise<LoadedExample[]> {
    return fewAtOnce(examples, (example) => loadExample(example, resolution, fit, findForeground, kernel));
  }
}

async function loadExample(
  example: Example,
  resolution: number,
  fit: Fit,
  findForeground: FindForeground | undefined,
  kernel: Kernel | undefined,
): Promise<LoadedExample> {
  const { image, stored, mask } = await readExample(example);
  const label = labelOf(example.mask);
  if (!boundingBox(mask)) throw new DatasetError(`The mask ${label} is empty: it marks no pixel`);
  const refit = (picture: RawImage) => fitAround(picture, mask, resolution, fit);
  const pixels = await fitAround(image, mask, resolution, fit, kernel);
  const maskPixels = binarize(await refit(mask));
  if (!boundingBox(maskPixels)) {
    throw new DatasetError(`The defect in ${label} vanishes at ${resolution} pixels: use a higher resolution`);
  }
  if (!findForeground) return { ...example, pixels, maskPixels };
  const foregroundPixels = await findForeground(stored, pixels, refit);
  return { ...example, pixels, maskPixels, foregroundPixels };
}

/** Tells sets of training pictures apart: a digest of every pixel, mask and foreground. */
export function digestOf(examples: readonly LoadedExample[]): string {
  const hash = createHash('sha256');
  for (const { pixels, maskPixels, foregroundPixels } of examples) {
    hash.update(pixels.data).update(maskPixels.data);
    if (foregroundPixels) hash.update(foregroundPixels.data);
  }
  return hash.digest('hex').slice(0, 16);
}

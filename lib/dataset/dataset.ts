import { createHash } from 'node:crypto';
import { basename, join, resolve } from 'node:path';
import { DatasetError } from '../core/errors.js';
import type { RawImage } from '../core/image.js';
import { type ForegroundSource, foregroundOf } from '../model/foreground.js';
import { isTypeName } from '../options/type-name.js';
import { readExample } from './example-file.js';
import { fewAtOnce } from './few-at-once.js';
import { binarize, boundingBox, type Fit, fitAround } from './fit.js';
import { folderNamed, foldersIn, imagesBelow, imagesIn, isFolder, refuseSameStems, stemOf } from './folders.js';
import type { Kernel } from './image-file.js';
import { maskPathOf, masksIn, tellUnmarked, tellUnused } from './mask-files.js';

/** One image of a defect with its mask. */
export interface Example {
  /** The file's name without its ending, in Unicode's composed form (NFC). */
  name: string;
  image: string;
  mask: string;
}

/** An example as squares of one size. */
export interface LoadedExample extends Example {
  pixels: RawImage;
  /** One channel of 0 and 255. */
  maskPixels: RawImage;
  /** One channel of 0 and 255, where foregrounds were asked for. */
  foregroundPixels?: RawImage;
}

const GOOD = 'good';

/**
 * A category folder in MVTec AD's layout: `train/good`, `test/<type>`, `ground_truth/<type>/<name>_mask.png`.
 *
 * @example
 * const dataset = await Dataset.open('bottle');
 * console.log(dataset.types);
 */
export class Dataset {
  /** The folder. */
  readonly folder: string;
  /** The category: the folder's name, in NFC. */
  readonly category: string;
  /** The defect types in NFC, sorted by name. */
  readonly types: readonly string[];
  readonly #typeFolders: ReadonlyMap<string, string>;

  private constructor(folder: string, typeFolders: ReadonlyMap<string, string>) {
    this.folder = folder;
    this.category = basename(folder).normalize('NFC');
    this.types = [...typeFolders.keys()];
    this.#typeFolders = typeFolders;
  }

  /** Throws ERR_DATASET_INVALID where the folder is missing or holds no defect type. */
  static async open(folder: string): Promise<Dataset> {
    const path = resolve(folder);
    if (!(await isFolder(path))) throw new DatasetError(`The dataset folder ${path} does not exist`);
    const test = join(path, 'test');
    if (!(await isFolder(test))) {
      throw new DatasetError(`${path} is not a category in MVTec AD's layout: it has no folder test/<type>`);
    }
    const types = (await foldersIn(test)).filter(({ name }) => name !== GOOD);
    const unsafe = types.find(({ name }) => !isTypeName(name));
    if (unsafe) throw new DatasetError(`${unsafe.path} cannot be a defect type with this name: rename the folder`);
    if (types.length === 0)
      throw new DatasetError(`${test} holds no defect type: expected a folder for each, beside good`);
    return new Dataset(path, new Map(types.map((type) => [type.name, type.path])));
  }

  /** The folders of the categories of a folder: itself where it is one, else those in it that are, sorted by name. */
  static async categoriesIn(folder: string): Promise<string[]> {
    const path = resolve(folder);
    if ((await isFolder(join(path, 'test'))) || !(await isFolder(path))) return [path];
    const found: string[] = [];
    for (const entry of await foldersIn(path)) {
      if (await isFolder(join(entry.path, 'test'))) found.push(entry.path);
    }
    return found.length > 0 ? found : [path]; // to open it says what a category looks like
  }

  /** Opens the categories of a folder. Throws ERR_DATASET_INVALID where there is none. */
  static async openAll(folder: string): Promise<Dataset[]> {
    const categories: Dataset[] = [];
    for (const path of await Dataset.categoriesIn(folder)) categories.push(await Dataset.open(path));
    return categories;
  }

  /**
   * Every image of a type, sorted by name. Throws ERR_DATASET_INVALID naming the types that there are, or images or
   * masks that share a name. Masks without an image are named in a warning.
   */
  async examples(type: string): Promise<Example[]> {
    const folder = this.#typeFolders.get(type.normalize('NFC'));
    if (folder === undefined) {
      throw new DatasetError(`${this.folder} has no defect type ${type}; it has ${this.types.join(', ')}`);
    }
    const images = await imagesIn(folder);
    refuseSameStems(images, (stem) => `the mask ${stem}_mask.png`);
    const maskFolder = await folderNamed(join(this.folder, 'ground_truth'), type);
    const masks = await masksIn(maskFolder);
    tellUnused(masks, images, maskFolder);
    return images.map((image) => ({ name: stemOf(image), image, mask: maskPathOf(image, masks, maskFolder) }));
  }

  /** The good images of `train/good` and of the folders in it, sorted by path; none where it is missing. */
  goodImages(): Promise<string[]> {
    return imagesBelow(join(this.folder, 'train', GOOD));
  }

  /**
   * The images of a type that train, by name: the first so many, or a fraction `a/b` (rounded down, at least one); with
   * `@k` behind it, the k-th such part. The rest is for testing; those of it without a mask are named in a warning.
   */
  async trainingExamples(type: string, share: number | string): Promise<Example[]> {
    const all = await this.examples(type);
    if (all.length < 2) {
      throw new DatasetError(
        `${this.folder} has ${all.length} image${all.length === 1 ? '' : 's'} of ${type}: training needs at least 2, of which a part trains`,
      );
    }
    const [size = '', part = '1'] = String(share).split('@');
    const [a, b] = size.split('/').map(Number) as [number, number | undefined];
    const count = b === undefined ? a : Math.max(1, Math.floor((all.length * a) / b));
    const end = count * Number(part);
    if (end > all.length) {
      throw new DatasetError(
        `${this.folder} has ${all.length} images of ${type}, but ${share} are asked for: take fewer, or an earlier part`,
      );
    }
    const chosen = all.slice(end - count, end);
    tellUnmarked(all.filter((example) => !chosen.includes(example)));
    return chosen;
  }

  /**
   * Decodes examples to squares of `resolution`, with their foregrounds where a source of them is given. Images are
   * resized by `kernel`, `linear` by default as published; masks always linearly.
   * Throws ERR_DATASET_INVALID naming the file and what is wrong.
   */
  static load(
    examples: Example[],
    resolution: number,
    fit: Fit,
    foregrounds?: ForegroundSource,
    kernel?: Kernel,
  ): Promise<LoadedExample[]> {
    return fewAtOnce(examples, (example) => loadExample(example, resolution, fit, foregrounds, kernel));
  }
}

async function loadExample(
  example: Example,
  resolution: number,
  fit: Fit,
  foregrounds: ForegroundSource | undefined,
  kernel: Kernel | undefined,
): Promise<LoadedExample> {
  const { image, stored, mask } = await readExample(example);
  if (!boundingBox(mask)) throw new DatasetError(`The mask ${example.mask} is empty: it marks no pixel`);
  const refit = (picture: RawImage) => fitAround(picture, mask, resolution, fit);
  const pixels = await fitAround(image, mask, resolution, fit, kernel);
  const maskPixels = binarize(await refit(mask));
  if (!boundingBox(maskPixels)) {
    throw new DatasetError(`The defect in ${example.mask} vanishes at ${resolution} pixels: use a higher resolution`);
  }
  if (!foregrounds) return { ...example, pixels, maskPixels };
  const foregroundPixels = await foregroundOf(foregrounds, stored, pixels, refit);
  return { ...example, pixels, maskPixels, foregroundPixels };
}

/** Tells sets of training pictures apart: a digest of every pixel, mask and foreground. */
export function digestOf(examples: LoadedExample[]): string {
  const hash = createHash('sha256');
  for (const { pixels, maskPixels, foregroundPixels } of examples) {
    hash.update(pixels.data).update(maskPixels.data);
    if (foregroundPixels) hash.update(foregroundPixels.data);
  }
  return hash.digest('hex').slice(0, 16);
}

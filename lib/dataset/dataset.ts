import { DatasetError, InvalidOptionError } from '../core/errors.js';
import { fewAtOnce } from '../core/few-at-once.js';
import type { RawImage } from '../core/image.js';
import type { DataFormat, Fit } from '../options/names.js';
import type { DatasetContents, Purpose } from './contents.js';
import { middleOf } from './cut.js';
import { type Example, emptyMask, type LoadedExample, readExample } from './example-file.js';
import type { Faults } from './faults.js';
import type { FileRecord } from './file-records.js';
import { binarize, boundingBox, fitAround } from './fit.js';
import { datasetsIn, openData } from './formats/open.js';
import { GROUP_LIST, groupsOf, readGroupList } from './groups.js';
import type { Kernel, Stored } from './image-file.js';
import { type ImageSource, labelOf } from './image-source.js';
import { warnMissingMasks } from './mask-files.js';
import { contentsOf, type DatasetInput } from './memory-contents.js';
import { isInShare, parseShare, partsOf } from './parts.js';
import { evenly } from './region-plan.js';

export type { Example, LoadedExample, Position } from './example-file.js';

/**
 * Finds the foreground of an image: one channel of 0 and 255. `fitted` is what training uses of the image, and `refit`
 * makes the same of a mask that is as large as the image. The result is as large as one or the other.
 */
export type FindForeground = (
  image: Stored,
  fitted: RawImage,
  refit: (mask: RawImage) => Promise<RawImage>,
) => Promise<RawImage>;

/** So many good photographs tell, beside those of a type, what all photographs of a category have in common. */
const COMPARED_GOOD = 32;

/**
 * The images of one category. It holds images of each defect type with their masks, and good images.
 *
 * @example
 * const dataset = await Dataset.open('bottle');
 * console.log(dataset.types);
 */
export class Dataset {
  readonly #contents: DatasetContents;
  /** The format of the files. It is undefined if the images were given one by one. */
  readonly format: DataFormat | undefined;

  private constructor(contents: DatasetContents, format?: DataFormat) {
    this.#contents = contents;
    this.format = format;
  }

  /** The path of the folder with all files. It is undefined if the images were given one by one. */
  get folder(): string | undefined {
    return this.#contents.folder;
  }

  /** The name of the dataset in messages: the path that was opened, or `dataset` followed by the category. */
  get label(): string {
    return this.#contents.label;
  }

  /** The category in NFC: the folder's name, or the `category` that `from` received. */
  get category(): string {
    return this.#contents.category;
  }

  /** The defect types in NFC, sorted by name. */
  get types(): readonly string[] {
    return this.#contents.types;
  }

  /**
   * Opens a category: a folder in MVTec AD's layout (`train/good`, `test/<type>`,
   * `ground_truth/<type>/<name>_mask.png`), or a file or folder in one of the formats of annotation tools
   * (docs/formats.md). The content tells the format, unless `format` does.
   * Throws ERR_DATASET_INVALID with the file and the entry that cannot be used, and if there is no defect type.
   */
  static async open(path: string, { format }: { format?: DataFormat } = {}): Promise<Dataset> {
    const opened = await openData(path, format);
    return new Dataset(opened.contents, opened.format);
  }

  /**
   * Opens a category that may lack defect types, for those who learn from its good images alone.
   * @internal
   */
  static async openGood(path: string): Promise<Dataset> {
    const opened = await openData(path, undefined, false);
    return new Dataset(opened.contents, opened.format);
  }

  /**
   * Opens a category and lists what is wrong with its entries. Images that have a fault are left out.
   * @internal
   */
  static async openWithFaults(path: string, faults: Faults): Promise<Dataset> {
    const opened = await openData(path, undefined, true, faults);
    return new Dataset(opened.contents, opened.format);
  }

  /**
   * Creates a dataset from images that are given as paths, as the bytes of files, or as pixels. Each image is decoded
   * and checked when it is used. Errors name an image in memory by its place in the input, such as `crack[2].mask`.
   * Throws ERR_INVALID_OPTION with the first value that is not an image, or not a valid name of a defect type.
   *
   * @example
   * const dataset = Dataset.from({ types: { crack: [{ image, mask }] }, good: [photograph] });
   */
  static from(input: DatasetInput): Dataset {
    return new Dataset(contentsOf(input));
  }

  /**
   * Lists the paths of the categories in a folder, sorted by name. If the path is itself a category, it is the only one.
   */
  static categoriesIn(path: string): Promise<string[]> {
    return datasetsIn(path);
  }

  /** Opens all categories in a folder. Throws ERR_DATASET_INVALID if there is none. */
  static async openAll(path: string): Promise<Dataset[]> {
    const categories: Dataset[] = [];
    for (const category of await datasetsIn(path)) categories.push(await Dataset.open(category));
    return categories;
  }

  /**
   * Returns every image of a type. Images of a folder are sorted by name, and others keep the order of the input. A
   * warning names the masks that have no image. Throws ERR_DATASET_INVALID if the dataset does not have the type, or if
   * two images or two masks have the same name.
   */
  async examples(type: string): Promise<Example[]> {
    const name = type.normalize('NFC');
    if (!this.types.includes(name)) {
      throw new DatasetError(`${this.label} has no defect type ${type}; it has ${this.types.join(', ')}`);
    }
    return this.#contents.examples(name);
  }

  /**
   * Returns the good images for training (`train/good` and its subfolders, or `good`) or for the test of an evaluation
   * (`test/good`, or `testGood`). Images of folders are sorted by path. The list is empty if the folder is missing. Throws
   * ERR_DATASET_INVALID if an annotation gives an image another size than it has.
   */
  goodImages(purpose: Purpose = 'train'): Promise<ImageSource[]> {
    return this.#contents.goodImages(purpose);
  }

  /**
   * Returns what the data says about an image that was generated, and undefined for a photograph.
   * @internal
   */
  recordOf(image: ImageSource): FileRecord | undefined {
    return this.#contents.recordOf?.(image);
  }

  /**
   * Returns the place where good images belong, for messages.
   * @internal
   */
  goodPlace(purpose: Purpose = 'train'): string {
    return this.#contents.goodPlace(purpose);
  }

  /**
   * Returns the images of a type that are used for training. `share` is `all`, a number of images from the start of the
   * list, or a fraction `a/b`. For `a/b`, the list is cut into b parts of almost equal size, and the first a of them
   * train. A suffix `@k` begins with the k-th part, and the first part follows the last one: `2/3@2` leaves the first
   * third for the test. `N@k` is the k-th block of N images. Parts never divide photographs of one part (see
   * `groupsOf`). The remaining images are for testing, and a warning names those that have no mask.
   * Throws ERR_DATASET_INVALID if there are too few images.
   */
  async trainingExamples(type: string, share: number | string = 'all'): Promise<Example[]> {
    const all = await this.examples(type);
    const chosen = await this.#shareOf(all, type, share);
    warnMissingMasks(all.filter((example) => !chosen.includes(example)));
    return chosen;
  }

  async #shareOf(all: Example[], type: string, asked: number | string): Promise<Example[]> {
    const share = parseShare(asked);
    const { size, parts, from } = share;
    const isSplit = parts !== undefined && size < parts;
    const has = `${this.label} has ${all.length} image${all.length === 1 ? '' : 's'} of ${type}`;
    if (all.length === 0) throw new DatasetError(`${has}: training needs at least 1`);
    if (isSplit && all.length < 2) {
      throw new DatasetError(
        `${has}: training on ${asked} of them needs at least 2, so that some are left for the test; or train on all`,
      );
    }
    const end = parts === undefined ? size * from : all.length;
    if (end > all.length || (parts !== undefined && (size > parts || from > parts))) {
      throw new DatasetError(`${has}, but ${asked} are asked for: take fewer, or an earlier part`);
    }
    if (!isSplit) return parts === undefined ? all.slice(end - size, end) : all;
    const groups = await groupsOf(
      all.map(({ image }) => image),
      await this.listedGroups(),
      evenly(await this.goodImages(), COMPARED_GOOD),
    );
    const partOf = partsOf(groups, parts);
    const chosen = all.filter((_, index) => isInShare(partOf[index] as number, share));
    if (chosen.length > 0 && chosen.length < all.length) return chosen;
    throw new DatasetError(
      `${has} in ${new Set(groups).size} groups of photographs of one part, which is too few to train on ${asked} of them: name the groups in ${GROUP_LIST}, or take another share`,
    );
  }

  /**
   * Returns the groups of photographs of one part that `groups.csv` in the folder names, by the photographs' paths.
   * @internal
   */
  async listedGroups(): Promise<Map<string, string>> {
    return this.folder === undefined ? new Map() : readGroupList(this.folder);
  }

  /**
   * Returns the dataset with only these images of defects and these good images, all of them for training.
   * @internal
   */
  restrictedTo(examples: ReadonlyMap<string, Example[]>, good: readonly ImageSource[]): Dataset {
    const { folder, label, category } = this;
    return new Dataset({
      ...{ folder, label, category, types: [...examples.keys()] },
      examples: async (type) => [...(examples.get(type) ?? [])],
      goodImages: async (purpose) => (purpose === 'train' ? [...good] : []),
      goodPlace: (purpose) => this.goodPlace(purpose),
    });
  }

  /**
   * Decodes examples to squares of `resolution` pixels. `findForeground` adds their foregrounds. Images are resized
   * with `kernel`, which defaults to `linear` as in the published code. Masks are always resized linearly.
   * Throws ERR_DATASET_INVALID with the file and the reason.
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
  const box = boundingBox(mask);
  if (!box) throw emptyMask(example.mask);
  const { x, y } = middleOf(box);
  const centre = { x: x / mask.width, y: y / mask.height };
  const refit = (picture: RawImage) => fitAround(picture, mask, resolution, fit);
  const pixels = await fitAround(image, mask, resolution, fit, kernel);
  const maskPixels = binarize(await refit(mask));
  if (!boundingBox(maskPixels)) {
    throw new DatasetError(
      `The defect in ${labelOf(example.mask)} vanishes at ${resolution} pixels: use a higher resolution`,
    );
  }
  if (!findForeground) return { ...example, pixels, maskPixels, centre };
  const foregroundPixels = await findForeground(stored, pixels, refit);
  return { ...example, pixels, maskPixels, foregroundPixels, centre };
}

/** Throws ERR_INVALID_OPTION for anything that `Dataset.open` and `Dataset.from` do not return. */
export function requireDataset(value: unknown): void {
  if (value instanceof Dataset) return;
  throw new InvalidOptionError('Expected a Dataset, which Dataset.open and Dataset.from return, for dataset');
}

/** Lists all images of a dataset, and those of generated pairs, with their masks. */
import { existsSync } from 'node:fs';
import { basename, join, relative, resolve, sep } from 'node:path';
import { DatasetError } from '../core/errors.js';
import { fileDigest } from '../core/files.js';
import { pathInside } from '../core/path-inside.js';
import { GOOD_TYPE } from '../options/type-name.js';
import type { Dataset } from './dataset.js';
import { type FileRecord, readFileRecords } from './file-records.js';
import { foldersIn, isFolder } from './folders.js';
import { findFormat } from './formats/find-format.js';
import { type ImageSource, labelOf, nameOf } from './image-source.js';
import { PAIR_LIST, readPairList, requireTypeName } from './pair-list.js';
import type { PairRecord } from './pair-record.js';
import { type ReviewedPair, reviewedPairs } from './reviewed-pairs.js';
import { type PairReview, REVIEW_LIST, reviewsOf } from './reviews.js';

/** The part of a dataset that an image comes from. */
export type Origin = 'train' | 'test' | 'generated';

/** An image with the masks of its defects. */
export interface DatasetImage {
  image: ImageSource;
  /** The path of the image below the folder of its dataset or pairs, or its name in messages. */
  source: string;
  origin: Origin;
  /** The first type of the image, or `good`. */
  group: string;
  /** The name of its files, without an ending. */
  name: string;
  /** A mask for each defect type. The list is empty for a good image. */
  defects: { type: string; mask: ImageSource }[];
  /** The record of a generated pair. */
  pair?: PairRecord;
  /** What is known about an image that was generated. It is absent for a photograph. */
  record?: FileRecord;
  /** What people have decided about the pair. */
  review?: PairReview;
}

/** Returns the path of an image's file below a folder, with slashes. Images without a file there keep their names. */
function sourceOf(image: ImageSource, folder: string | undefined): string {
  const file = typeof image === 'string' ? image : image.file;
  if (file === undefined || folder === undefined) return labelOf(image);
  const path = relative(folder, file);
  return path.startsWith('..') ? file : path.split(sep).join('/');
}

/**
 * Returns what tells the record of an image that was generated, and undefined for a photograph. Throws ERR_FILE_ACCESS
 * with the line of a list that cannot be used.
 */
export async function recordsOf(dataset: Dataset): Promise<(image: ImageSource) => FileRecord | undefined> {
  const { folder } = dataset;
  const records = folder === undefined ? new Map<string, FileRecord>() : await readFileRecords(folder);
  return (image) => dataset.recordOf(image) ?? records.get(sourceOf(image, folder));
}

/**
 * Lists the images of a dataset. An image that several types name is listed once, with a mask for each of them.
 * `onEachError` gets the errors of types and of folders of good images that cannot be listed. Without it, they are thrown.
 */
export async function imagesOfDataset(
  dataset: Dataset,
  onEachError: (error: unknown) => void = (error) => {
    throw error;
  },
): Promise<DatasetImage[]> {
  const onError = oncePerMessage(onEachError);
  const found = new Map<ImageSource, DatasetImage>();
  const recordOf = await recordsOf(dataset).catch((error: unknown) => {
    onError(error);
    return () => undefined;
  });
  const reviews = await reviewsBelow(dataset.folder).catch((error: unknown) => {
    onError(error);
    return new Map<string, PairReview>();
  });
  const common = (image: ImageSource, origin: Origin) => {
    const source = sourceOf(image, dataset.folder);
    const record = recordOf(image);
    const review = reviews.get(source);
    return { image, source, origin, ...(record && { record }), ...(review && { review }) };
  };
  for (const type of dataset.types) {
    for (const { name, image, mask } of await dataset.examples(type).catch(noneAfter(onError))) {
      const known = found.get(image);
      if (known) known.defects.push({ type, mask });
      else found.set(image, { ...common(image, 'test'), name, group: type, defects: [{ type, mask }] });
    }
  }
  for (const origin of ['train', 'test'] as const) {
    for (const image of await dataset.goodImages(origin).catch(noneAfter(onError))) {
      found.set(image, { ...common(image, origin), name: nameOf(image), group: GOOD_TYPE, defects: [] });
    }
  }
  return unitedCopies([...found.values()]);
}

/**
 * Makes one image of the copies that a category folder holds of an image with several types, as `import` writes them:
 * files of the same name and content in the folders of several types. Each copy knows the defects of its own type only.
 */
async function unitedCopies(images: readonly DatasetImage[]): Promise<DatasetImage[]> {
  const namesakes = new Map<string, number>();
  for (const { image } of images) {
    if (typeof image === 'string') namesakes.set(basename(image), (namesakes.get(basename(image)) ?? 0) + 1);
  }
  const united = new Map<string, DatasetImage>();
  for (const one of images) {
    const { image, defects } = one;
    const isCopied = typeof image === 'string' && defects.length === 1 && (namesakes.get(basename(image)) ?? 0) > 1;
    const key = isCopied ? `${basename(image)} ${await fileDigest(image).catch(() => image)}` : `${united.size}`;
    const known = united.get(key);
    if (known?.defects.every(({ type }) => type !== one.group)) known.defects.push(...defects);
    else united.set(known ? `${united.size}` : key, one);
  }
  return [...united.values()];
}

/** Returns the review of a folder of pairs by the paths of the images. Other folders have none. */
async function reviewsBelow(folder: string | undefined): Promise<Map<string, PairReview>> {
  const found = new Map<string, PairReview>();
  if (folder === undefined || !existsSync(join(folder, REVIEW_LIST))) return found;
  const { records } = await readPairList(join(folder, PAIR_LIST));
  const reviews = await reviewsOf(folder, records);
  for (const { index, image } of records) {
    const review = reviews.get(index);
    if (review) found.set(image, review);
  }
  return found;
}

/** Returns what passes each error on once, because several lists of images may need the same file. */
function oncePerMessage(onError: (error: unknown) => void): (error: unknown) => void {
  const messages = new Set<string>();
  return (error) => {
    if (messages.has(String(error))) return;
    messages.add(String(error));
    onError(error);
  };
}

/** Returns what passes an error on and gives an empty list instead. */
const noneAfter =
  (onError: (error: unknown) => void) =>
  (error: unknown): never[] => {
    onError(error);
    return [];
  };

/** Folders of pairs are this many folders below that of a command's results at most. */
const MAX_DEPTH = 5;

/** Returns true for a category folder. A folder of results may hold a type that is called `test`. */
const isCategory = async (folder: string): Promise<boolean> =>
  (await isFolder(join(folder, 'test'))) && !existsSync(join(folder, 'test', 'dataset', PAIR_LIST));

/** Returns the folders below `folder`, or the folder itself, that hold a list of generated pairs. */
export async function pairFoldersIn(folder: string, depth = 0): Promise<string[]> {
  if (existsSync(join(folder, PAIR_LIST))) return [folder];
  if (depth === MAX_DEPTH || !(await isFolder(folder)) || (await isCategory(folder))) return [];
  const found: string[] = [];
  for (const { path } of await foldersIn(folder)) found.push(...(await pairFoldersIn(path, depth + 1)));
  return found;
}

/** Returns true for a dataset that is no folder of pairs, even for one that cannot be read. */
async function isDataset(folder: string): Promise<boolean> {
  if (existsSync(join(folder, PAIR_LIST)) || existsSync(join(folder, 'test', 'dataset', PAIR_LIST))) return false;
  return (await findFormat(folder).catch(() => 'unreadable')) !== undefined;
}

/** Returns true if a folder is a dataset, or holds some. Results of earlier commands may lie in it, too. */
async function holdsDataset(folder: string): Promise<boolean> {
  if (await isDataset(folder)) return true;
  for (const { path } of await foldersIn(folder)) if (await isDataset(path)) return true;
  return false;
}

/** Returns true if a path is a folder of generated pairs, or holds such folders and no dataset. */
export async function holdsPairs(path: string): Promise<boolean> {
  const folder = resolve(path);
  if (existsSync(join(folder, PAIR_LIST))) return true;
  return (await pairFoldersIn(folder)).length > 0 && !(await holdsDataset(folder));
}

/**
 * Lists the pairs in a folder that `run`, `sample` or `place` has written, without those that were dropped, also in a
 * review. Masks that a review has corrected replace the generated ones. Throws ERR_DATASET_INVALID if there is no pair,
 * or with the pair that has no mask or that names a type no folder can have.
 */
export async function imagesOfPairs(path: string): Promise<DatasetImage[]> {
  const folder = resolve(path);
  const found: DatasetImage[] = [];
  let listed = 0;
  for (const pairs of await pairFoldersIn(folder)) {
    const list = join(pairs, PAIR_LIST);
    const records = (await readPairList(list)).records.filter(({ dropped }) => dropped === undefined);
    listed += records.length;
    for (const pair of await reviewedPairs(pairs, records)) found.push(imageOfPair(folder, pairs, list, pair));
  }
  if (found.length > 0) return found;
  if (listed > 0) throw new DatasetError(`${folder} holds no pair that the review has not dropped: keep some of them`);
  throw new DatasetError(`${folder} holds no generated pairs: expected ${PAIR_LIST} in it or in folders below it`);
}

function imageOfPair(root: string, folder: string, list: string, { record: pair, review }: ReviewedPair): DatasetImage {
  const { type, index } = pair;
  requireTypeName(list, pair);
  const image = pathInside(folder, pair.image);
  const source = sourceOf(image, root);
  const record = { synthetic: true as const, pair };
  const common = { image, source, name: nameOf(image), origin: 'generated' as const, group: type, pair, record };
  if (type === GOOD_TYPE) return { ...common, ...(review && { review }), defects: [] };
  const mask = review?.mask?.path ?? pair.mask;
  if (mask === undefined) {
    throw new DatasetError(`Pair ${index} of ${list} has no mask: sample the pairs again with a method for --mask`);
  }
  return { ...common, ...(review && { review }), defects: [{ type, mask: pathInside(folder, mask) }] };
}

/** Returns the name of a category, or that of the folder that holds pairs. */
export const categoryOf = (path: string): string => basename(resolve(path)).normalize('NFC');

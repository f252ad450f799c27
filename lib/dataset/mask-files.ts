/** Finds the mask file of an image. Its name is `<name>_mask`, in any case and with any image ending. */
import { existsSync } from 'node:fs';
import { basename, join, parse } from 'node:path';
import { DatasetError } from '../core/errors.js';
import { warn } from '../core/warnings.js';
import { imagesHere, isFolder, someOf, stemOf } from './folders.js';
import { groupLabelOf, type ImageSource, labelOf, nameOf } from './image-source.js';

const SUFFIX = /_mask$/i;

/** Mask files by their names in NFC without ending. Several files may share a name with different endings. */
export type MaskFiles = ReadonlyMap<string, readonly string[]>;

/** Lists the masks in a folder. A missing folder has none. */
export async function masksIn(folder: string): Promise<MaskFiles> {
  const files = new Map<string, string[]>();
  for (const file of (await isFolder(folder)) ? await imagesHere(folder) : []) {
    const name = stemOf(file).replace(SUFFIX, '_mask');
    files.set(name, [...(files.get(name) ?? []), file]);
  }
  return files;
}

function onlyMask(image: string, found: readonly string[]): string | undefined {
  if (found.length > 1) throw new DatasetError(`${image} has two masks, ${found.join(' and ')}: remove one of them`);
  return found[0];
}

/**
 * Finds the mask `<name>_mask` or `<name>` of an image. If there is none, returns the path where it is expected.
 * Throws ERR_DATASET_INVALID if there are two.
 */
export function maskPathOf(image: string, masks: MaskFiles, folder: string): string {
  const name = stemOf(image);
  return (
    onlyMask(image, masks.get(`${name}_mask`) ?? masks.get(name) ?? []) ?? join(folder, `${parse(image).name}_mask.png`)
  );
}

/**
 * Finds the mask `<name>_mask` or `<name>` of an image among those in `folder`. The name of an image in memory is its
 * type and its place, such as `good_003`. Throws ERR_DATASET_INVALID if there are two, or with the file that is expected
 * if there is none; `what` names the mask in this message.
 */
export function namedMaskOf(image: ImageSource, masks: MaskFiles, folder: string, what: string): string {
  const name = nameOf(image);
  const found = onlyMask(labelOf(image), masks.get(`${name}_mask`) ?? masks.get(name) ?? []);
  if (found !== undefined) return found;
  const stem = typeof image === 'string' ? parse(image).name : image.stem;
  throw new DatasetError(`${labelOf(image)} has no ${what}: expected ${join(folder, `${stem}_mask.png`)}`);
}

/** Warns about the masks in `folder` that belong to no image. */
export function warnUnusedMasks(masks: MaskFiles, images: readonly string[], folder: string): void {
  const names = new Set(images.flatMap((image) => [stemOf(image), `${stemOf(image)}_mask`]));
  const unused = [...masks].flatMap(([name, files]) => (names.has(name) ? [] : files.map((file) => basename(file))));
  if (unused.length > 0) warn(`Masks in ${folder} belong to no image: ${someOf(unused)}.`);
}

/** Warns about the images whose mask is missing. */
export function warnMissingMasks(examples: readonly { image: ImageSource; mask: ImageSource }[]): void {
  const withoutMask = examples
    .filter(({ mask }) => typeof mask === 'string' && !existsSync(mask))
    .map(({ image }) => image);
  const [first] = withoutMask;
  if (first === undefined) return;
  const names = withoutMask.map((image) => basename(labelOf(image)));
  warn(`Images in ${groupLabelOf(first)} have no mask: ${someOf(names)}.`);
}

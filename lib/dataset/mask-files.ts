/** Which file is the mask of an image: `<name>_mask` with any image ending, in any case. */
import { existsSync } from 'node:fs';
import { basename, join, parse } from 'node:path';
import { DatasetError } from '../core/errors.js';
import { warn } from '../core/warnings.js';
import { imagesHere, isFolder, someOf, stemOf } from './folders.js';
import { groupLabelOf, type ImageSource, labelOf, nameOf } from './image-source.js';

const SUFFIX = /_mask$/i;

/** Files by name in NFC, without ending. Those of one name are several where their endings differ. */
export type MaskFiles = ReadonlyMap<string, readonly string[]>;

/** The files of a folder that may be missing. */
export async function masksIn(folder: string): Promise<MaskFiles> {
  const files = new Map<string, string[]>();
  for (const file of (await isFolder(folder)) ? await imagesHere(folder) : []) {
    const name = stemOf(file).replace(SUFFIX, '_mask');
    files.set(name, [...(files.get(name) ?? []), file]);
  }
  return files;
}

function theOne(image: string, found: readonly string[]): string | undefined {
  if (found.length > 1) throw new DatasetError(`${image} has two masks, ${found.join(' and ')}: remove one of them`);
  return found[0];
}

/** The mask of an image; where there is none, the path that it is expected at. Throws ERR_DATASET_INVALID for two. */
export function maskPathOf(image: string, masks: MaskFiles, folder: string): string {
  return theOne(image, masks.get(`${stemOf(image)}_mask`) ?? []) ?? join(folder, `${parse(image).name}_mask.png`);
}

/** The foreground mask of an image, `<name>_mask` or `<name>`; undefined where there is none. */
export function foregroundPathOf(image: ImageSource, masks: MaskFiles): string | undefined {
  const stem = nameOf(image);
  return theOne(labelOf(image), masks.get(`${stem}_mask`) ?? masks.get(stem) ?? []);
}

/** Names in a warning the masks of `folder` that none of the images has. */
export function tellUnused(masks: MaskFiles, images: readonly string[], folder: string): void {
  const names = new Set(images.map((image) => `${stemOf(image)}_mask`));
  const unused = [...masks].flatMap(([name, files]) => (names.has(name) ? [] : files.map((file) => basename(file))));
  if (unused.length > 0) warn(`Masks in ${folder} that belong to no image: ${someOf(unused)}.`);
}

/** Names in a warning the images whose mask is missing. */
export function tellUnmarked(examples: readonly { image: ImageSource; mask: ImageSource }[]): void {
  const unmarked = examples
    .filter(({ mask }) => typeof mask === 'string' && !existsSync(mask))
    .map(({ image }) => image);
  const [first] = unmarked;
  if (first === undefined) return;
  const names = unmarked.map((image) => basename(labelOf(image)));
  warn(`Images in ${groupLabelOf(first)} that have no mask: ${someOf(names)}.`);
}

/** Makes the contents of a dataset of annotated images, which a reader of a format has found. */
import { basename, parse } from 'node:path';
import { DatasetError } from '../../core/errors.js';
import { isTypeName } from '../../options/type-name.js';
import type { DatasetContents, Purpose } from '../contents.js';
import type { Example } from '../example-file.js';
import { readParts } from '../file-parts.js';
import type { FileRecord } from '../file-records.js';
import type { ImageSource } from '../image-source.js';
import type { Shape } from './canvas.js';
import { type Annotation, drawnMask } from './drawn-mask.js';

/** An image with the masks of its defects by type. An image without any is good. */
export interface AnnotatedImage {
  image: ImageSource;
  /** The path below the dataset's folder, with `/`. The name of the image comes from it. */
  path: string;
  /** The file or entry that annotates it, for messages. */
  where: string;
  /** True for images that are kept for tests. The list of an export in the dataset's folder overrides it. */
  isTest: boolean;
  masks: ReadonlyMap<string, ImageSource>;
  /** What the annotation says about a generated image. */
  record?: FileRecord;
}

/** Returns the defect type of a name. Throws ERR_DATASET_INVALID if a folder cannot have the name. */
export function typeOf(name: string, where: string): string {
  const type = name.normalize('NFC');
  if (isTypeName(type)) return type;
  throw new DatasetError(
    `${where} cannot be a defect type with the name ${JSON.stringify(name)}: rename it, so that a folder can have the name`,
  );
}

/** Collects the shapes of an image by type. */
export class ShapesByType {
  readonly #shapes = new Map<string, Shape[]>();

  add(type: string, shape: Shape): void {
    const shapes = this.#shapes.get(type);
    if (shapes) shapes.push(shape);
    else this.#shapes.set(type, [shape]);
  }

  masksOf(image: ImageSource, annotation: Annotation): Map<string, ImageSource> {
    return new Map([...this.#shapes].map(([type, shapes]) => [type, drawnMask(image, type, annotation, shapes)]));
  }
}

/**
 * Returns a name for each path: the file's name without its ending, or the whole path where two files have the same
 * name. Throws ERR_DATASET_INVALID if two names are still the same. Names that differ only in upper and lower case are the
 * same, because many file systems take them for one.
 */
export function uniqueNames(paths: readonly string[]): string[] {
  const stem = (path: string) => parse(path).name.normalize('NFC').toLowerCase();
  const counts = new Map<string, number>();
  for (const path of paths) counts.set(stem(path), (counts.get(stem(path)) ?? 0) + 1);
  const owners = new Map<string, string>();
  return paths.map((path) => {
    const { dir, name } = parse(path.normalize('NFC'));
    const isAlone = counts.get(stem(path)) === 1 || dir === '';
    const unique = isAlone ? name : `${dir.split('/').join('_')}_${name}`;
    const other = owners.get(unique.toLowerCase());
    if (other !== undefined) {
      throw new DatasetError(`${other} and ${path} would share the name ${unique}: rename one of them`);
    }
    owners.set(unique.toLowerCase(), path);
    return unique;
  });
}

function refuseTwice(images: readonly AnnotatedImage[]): void {
  const seen = new Map<string, AnnotatedImage>();
  for (const one of images) {
    const other = seen.get(one.path);
    if (other) {
      throw new DatasetError(
        `The image ${one.path} is annotated twice, by ${other.where} and by ${one.where}: put all of its annotations into one entry`,
      );
    }
    seen.set(one.path, one);
  }
}

/** Throws ERR_DATASET_INVALID if two types differ only in upper and lower case. */
function refuseSameFolders(types: Iterable<string>, label: string): void {
  const seen = new Map<string, string>();
  for (const type of types) {
    const other = seen.get(type.toLowerCase());
    if (other !== undefined) {
      throw new DatasetError(
        `${label} names the types ${other} and ${type}, whose folders would be one on Windows and macOS: use one name for both, or rename one of them`,
      );
    }
    seen.set(type.toLowerCase(), type);
  }
}

/**
 * Returns the contents of a dataset. `folder` holds all of it, and `label` names it in messages. Throws
 * ERR_DATASET_INVALID if an image is listed twice, if two types differ only in upper and lower case, or if no image has a
 * defect although `needsTypes` is true.
 */
export function annotatedContents(
  folder: string,
  label: string,
  images: readonly AnnotatedImage[],
  needsTypes: boolean,
): DatasetContents {
  refuseTwice(images);
  const names = uniqueNames(images.map(({ path }) => path));
  const examples = new Map<string, Example[]>();
  for (const [i, { image, masks }] of images.entries()) {
    for (const [type, mask] of masks) {
      const example = { name: names[i] as string, image, mask };
      const others = examples.get(type);
      if (others) others.push(example);
      else examples.set(type, [example]);
    }
  }
  if (examples.size === 0 && needsTypes) {
    throw new DatasetError(`${label} marks no defect in its ${images.length} images: expected at least one mask`);
  }
  refuseSameFolders(examples.keys(), label);
  for (const list of examples.values()) list.sort((a, b) => (a.name < b.name ? -1 : 1));
  const records = new Map(images.map(({ image, record }) => [image, record]));
  const good = images.filter(({ masks }) => masks.size === 0);
  let parts: Promise<ReadonlyMap<string, Purpose>> | undefined;
  return {
    folder,
    label,
    category: basename(folder).normalize('NFC'),
    types: [...examples.keys()].sort(),
    examples: async (type) => [...(examples.get(type) ?? [])],
    goodImages: async (purpose) => {
      parts ??= readParts(folder);
      const listed = await parts;
      const partOf = ({ path, isTest }: AnnotatedImage) =>
        listed.get(path.normalize('NFC')) ?? (isTest ? 'test' : 'train');
      return good.filter((one) => partOf(one) === purpose).map(({ image }) => image);
    },
    recordOf: (image) => records.get(image),
    goodPlace: (purpose) => `${label}, without a defect${purpose === 'test' ? ' and in its part for tests' : ''}`,
  };
}

/** Makes the contents of a dataset of annotated images, which a reader of a format has found. */
import { basename, parse } from 'node:path';
import { DatasetError } from '../../core/errors.js';
import { isTypeName } from '../../options/type-name.js';
import type { DatasetContents, Purpose } from '../contents.js';
import type { Size } from '../cut.js';
import { readSize } from '../decode.js';
import type { Example } from '../example-file.js';
import { Faults } from '../faults.js';
import { readParts } from '../file-parts.js';
import type { FileRecord } from '../file-records.js';
import type { ImageSource } from '../image-source.js';
import type { Shape } from './canvas.js';
import { type Annotation, drawnMask, drawnSize } from './drawn-mask.js';

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
  /** The size that the annotation gives to the image, in pixels, if it gives one. */
  size?: Size | undefined;
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
 * name. If two names are still the same, ERR_DATASET_INVALID is a fault of `label`, and the second one is undefined. Names
 * that differ only in upper and lower case are the same, because many file systems take them for one.
 */
export function uniqueNames(paths: readonly string[], label: string, faults = Faults.thrown): (string | undefined)[] {
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
      faults.add(
        new DatasetError(
          `${label}: ${other} and ${path} would share the name ${unique}: rename one of them, and its name in the annotations`,
        ),
      );
      return undefined;
    }
    owners.set(unique.toLowerCase(), path);
    return unique;
  });
}

/** Returns the images without those that are listed before, which are faults (ERR_DATASET_INVALID). */
function listedOnce(images: readonly AnnotatedImage[], faults: Faults): AnnotatedImage[] {
  const seen = new Map<string, AnnotatedImage>();
  for (const one of images) {
    const other = seen.get(one.path);
    if (other === undefined) {
      seen.set(one.path, one);
      continue;
    }
    faults.add(
      new DatasetError(
        `The image ${one.path} is annotated twice, by ${other.where} and by ${one.where}: put all of its annotations into one entry`,
      ),
    );
  }
  return [...seen.values()];
}

/** Returns the images whose headers tell the size that their annotations give them. The others are faults. */
async function ofClaimedSizes(images: readonly AnnotatedImage[], faults: Faults): Promise<AnnotatedImage[]> {
  return faults.readEach(images, async (one) => {
    if (one.size === undefined) return one;
    const stored = await readSize(one.image).catch(() => undefined); // Whoever reads its pixels reports a broken file.
    if (stored) drawnSize(stored, one);
    return one;
  });
}

/** Types that differ only in upper and lower case are faults (ERR_DATASET_INVALID). */
function refuseSameFolders(types: Iterable<string>, label: string, faults: Faults): void {
  const seen = new Map<string, string>();
  for (const type of types) {
    const other = seen.get(type.toLowerCase());
    if (other !== undefined) {
      faults.add(
        new DatasetError(
          `${label} names the types ${other} and ${type}, whose folders would be one on Windows and macOS: use one name for both, or rename one of them`,
        ),
      );
    }
    seen.set(type.toLowerCase(), type);
  }
}

/**
 * Returns the contents of a dataset. `folder` holds all of it, and `label` names it in messages. An image that is listed
 * twice is a fault, and so are types that differ only in upper and lower case, and images without any defect if
 * `needsTypes` is true (ERR_DATASET_INVALID). Good images of another size than their annotations say are faults when they
 * are listed.
 */
export function annotatedContents(
  folder: string,
  label: string,
  found: readonly AnnotatedImage[],
  needsTypes: boolean,
  faults: Faults,
): DatasetContents {
  const once = listedOnce(found, faults);
  const names = uniqueNames(
    once.map(({ path }) => path),
    label,
    faults,
  );
  const images = once.filter((_, i) => names[i] !== undefined);
  const examples = new Map<string, Example[]>();
  for (const [i, { image, masks }] of once.entries()) {
    for (const [type, mask] of masks) {
      const name = names[i];
      if (name === undefined) continue;
      const example = { name, image, mask };
      const others = examples.get(type);
      if (others) others.push(example);
      else examples.set(type, [example]);
    }
  }
  // Entries that were left out may have had the defects.
  if (examples.size === 0 && needsTypes && faults.isEmpty) {
    faults.add(new DatasetError(`${label} marks no defect in its ${images.length} images: expected at least one mask`));
  }
  refuseSameFolders(examples.keys(), label, faults);
  for (const list of examples.values()) list.sort((a, b) => (a.name < b.name ? -1 : 1));
  const records = new Map(images.map(({ image, record }) => [image, record]));
  const good = images.filter(({ masks }) => masks.size === 0);
  let parts: Promise<ReadonlyMap<string, Purpose>> | undefined;
  const goodOf = new Map<Purpose, Promise<AnnotatedImage[]>>();
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
      const own = good.filter((one) => partOf(one) === purpose);
      const checked = goodOf.get(purpose) ?? ofClaimedSizes(own, faults);
      goodOf.set(purpose, checked);
      return (await checked).map(({ image }) => image);
    },
    recordOf: (image) => records.get(image),
    goodPlace: (purpose) => `${label}, without a defect${purpose === 'test' ? ' and in its part for tests' : ''}`,
  };
}

/** Finds YOLO's files of labels, one for each image. */
import { join, parse } from 'node:path';
import { DatasetError } from '../../core/errors.js';
import { folderNamed, imagesHere, stemOf } from '../folders.js';
import { filesIn, pathBelow } from './files.js';

/** Tools put the names of the classes into this file, beside those of labels. */
const CLASS_LIST = 'classes';

/** A folder of images, and the files of labels that belong to it by their names. */
interface Folder {
  images: string;
  /** True if labels have a folder of their own, where other text files are not expected. */
  isOwn: boolean;
  labels: ReadonlyMap<string, string>;
}

/**
 * Lists the text files of a folder by their names in NFC. File systems and archives may store the names of an image and of
 * its labels in different Unicode forms. Throws ERR_DATASET_INVALID if two files belong to one image.
 */
async function labelsIn(folder: string): Promise<Map<string, string>> {
  const labels = new Map<string, string>();
  for (const file of await filesIn(folder, ['.txt'])) {
    const other = labels.get(stemOf(file));
    if (other !== undefined) {
      throw new DatasetError(`${other} and ${file} are labels of one image: rename or remove one of them`);
    }
    labels.set(stemOf(file), file);
  }
  return labels;
}

/** Finds the labels of images in `labels` instead of `images`, or beside the images. */
export class LabelFiles {
  readonly #folders = new Map<string, Promise<Folder>>();
  readonly #used = new Set<string>();

  constructor(private readonly root: string) {}

  /** Returns the file with the polygons of an image, or undefined if there is none. */
  async fileOf(image: string): Promise<string | undefined> {
    const { dir } = parse(image);
    const known = this.#folders.get(dir) ?? this.#open(dir);
    this.#folders.set(dir, known);
    const file = (await known).labels.get(stemOf(image));
    if (file !== undefined) this.#used.add(file);
    return file;
  }

  /** Lists the labels beside those of the images so far that belong to no image file, whatever part it is in. */
  async orphans(): Promise<string[]> {
    const orphans: string[] = [];
    for (const folder of this.#folders.values()) {
      const { images, isOwn, labels } = await folder;
      const unused = [...labels].filter(([name, file]) => !this.#used.has(file) && name !== CLASS_LIST);
      if (!isOwn || unused.length === 0) continue;
      const names = new Set((await imagesHere(images)).map(stemOf));
      orphans.push(...unused.filter(([name]) => !names.has(name)).map(([, file]) => pathBelow(this.root, file)));
    }
    return orphans.sort();
  }

  async #open(images: string): Promise<Folder> {
    const parts = pathBelow(this.root, images).split('/');
    const at = parts.lastIndexOf('images');
    if (at < 0) return { images, isOwn: false, labels: await labelsIn(images) };
    let folder = join(this.root, ...parts.slice(0, at));
    for (const name of ['labels', ...parts.slice(at + 1)]) folder = await folderNamed(folder, name);
    return { images, isOwn: true, labels: await labelsIn(folder) };
  }
}

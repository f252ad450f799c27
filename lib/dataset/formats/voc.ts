/** Reads Pascal VOC's layout for segmentation, which CVAT exports: an image of classes for each photograph. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetError, withFileErrors } from '../../core/errors.js';
import { warn } from '../../core/warnings.js';
import type { DatasetContents } from '../contents.js';
import type { Faults } from '../faults.js';
import { imagesBelow, isFolder, someOf } from '../folders.js';
import { type AnnotatedImage, annotatedContents } from './annotated.js';
import { type Classes, masksOfClasses } from './class-image.js';
import { filesIn, isFile, isTestName, pathBelow } from './files.js';

/** The folder of the images of classes. */
export const CLASS_FOLDER = 'SegmentationClass';
const IMAGE_FOLDER = 'JPEGImages';
/** The lists in this folder tell which images belong to the dataset, and to which of its parts. */
const LIST_FOLDER = 'ImageSets/Segmentation';
/** CVAT lists the names and colours of the classes in this file. */
const CLASS_LIST = 'labelmap.txt';
/** VOC marks the borders of objects, which belong to no class, with the last colour. */
const BORDER = 255;

/** Returns the colour of a number in VOC's palette. Its bits are dealt out to red, green and blue in turn. */
function paletteColour(number: number): number {
  let [red, green, blue] = [0, 0, 0];
  for (let bit = 0; bit < 8; bit++) {
    const place = 7 - Math.floor(bit / 3);
    const value = ((number >> bit) & 1) << place;
    if (bit % 3 === 0) red |= value;
    else if (bit % 3 === 1) green |= value;
    else blue |= value;
  }
  return (red << 16) | (green << 8) | blue;
}

/** Returns the classes of VOC's palette, which have no names of their own here: `class-1`, `class-2` and so on. */
function paletteClasses(listedIn: string): Classes {
  const names = Array.from({ length: BORDER + 1 }, (_, number) =>
    number === 0 || number === BORDER ? undefined : `class-${number}`,
  );
  return {
    byColour: new Map(names.map((name, number) => [paletteColour(number), name])),
    byNumber: new Map(names.map((name, number) => [number, name])),
    listedIn,
  };
}

/** Reads the names and colours of the classes. Throws ERR_DATASET_INVALID with the line that cannot be used. */
async function readClasses(root: string): Promise<Classes> {
  const file = join(root, CLASS_LIST);
  if (!(await isFile(file))) return paletteClasses("VOC's palette");
  const text = await withFileErrors('read', file, () => readFile(file, 'utf8'));
  const border = paletteColour(BORDER);
  const byColour = new Map<number, string | undefined>([
    [0, undefined],
    [border, undefined],
  ]);
  const byNumber = new Map<number, string | undefined>([[BORDER, undefined]]);
  for (const [i, untrimmed] of text.split(/\r?\n/).entries()) {
    const line = untrimmed.trim(); // This also removes a byte order mark.
    if (line === '' || line.startsWith('#')) continue;
    const [, name, ...channels] = /^(.+?):(\d+),(\d+),(\d+)(?::|$)/.exec(line) ?? [];
    const [red, green, blue] = channels.map(Number);
    if (name === undefined || red === undefined || green === undefined || blue === undefined) {
      throw new DatasetError(`Expected name:red,green,blue in line ${i + 1} of ${file} but received ${line}`);
    }
    const type = name.toLowerCase() === 'background' ? undefined : name;
    byColour.set((red << 16) | (green << 8) | blue, type);
    byNumber.set(byNumber.size - 1, type);
  }
  return { byColour, byNumber, listedIn: file };
}

/** Reads the names of images that `ImageSets/Segmentation` lists, and which of them are for tests. */
async function readLists(root: string): Promise<Map<string, boolean>> {
  const listed = new Map<string, boolean>();
  for (const file of await filesIn(join(root, LIST_FOLDER), ['.txt'])) {
    const text = await withFileErrors('read', file, () => readFile(file, 'utf8'));
    for (const line of text.split(/\r?\n/)) {
      const name = line
        .trim()
        .replace(/^"(.*)"$/, '$1')
        .normalize('NFC');
      if (name !== '') listed.set(name, listed.get(name) || isTestName(pathBelow(root, file)));
    }
  }
  return listed;
}

const withoutEnding = (path: string) => path.replace(/\.[^./]*$/, '').normalize('NFC');

/**
 * Returns the names of the images that belong to the dataset. Lists tell which images without a mask are good. VOC keeps
 * the photographs of its other tasks in the same folder, so the others are left out. Without lists, all of them are good.
 */
function namesOf(root: string, images: Iterable<string>, masks: Iterable<string>, listed: Iterable<string>): string[] {
  const lists = new Set(listed);
  const known = new Set([...masks, ...lists]);
  const others = [...images].filter((name) => !known.has(name)).sort();
  if (others.length > 0) {
    const what = `${others.length} images of ${root} have no mask in ${CLASS_FOLDER}`;
    const names = someOf(others);
    if (lists.size > 0) {
      warn(
        `${what} and are in no list of ${LIST_FOLDER}, so they are left out: ${names}. Add the good ones to a list there.`,
      );
    } else {
      warn(
        `${what}, so they are taken for good ones: ${names}. Add the masks if these images show defects, or list the images that belong to the dataset in ${LIST_FOLDER}.`,
      );
      for (const name of others) known.add(name);
    }
  }
  return [...known].sort();
}

/** Opens a folder with `JPEGImages` and `SegmentationClass`. */
export async function openVoc(root: string, needsTypes: boolean, faults: Faults): Promise<DatasetContents> {
  const folders = { images: join(root, IMAGE_FOLDER), masks: join(root, CLASS_FOLDER) };
  for (const folder of Object.values(folders)) {
    if (!(await isFolder(folder))) throw new DatasetError(`${root} has no folder ${pathBelow(root, folder)}`);
  }
  const classes = await readClasses(root);
  const listed = await readLists(root);
  const images = new Map(
    (await imagesBelow(folders.images)).map((file) => [withoutEnding(pathBelow(folders.images, file)), file]),
  );
  const masks = new Map(
    (await imagesBelow(folders.masks)).map((file) => [withoutEnding(pathBelow(folders.masks, file)), file]),
  );
  const names = namesOf(root, images.keys(), masks.keys(), listed.keys());
  const found = await faults.readEach(names, async (name): Promise<AnnotatedImage> => {
    const [image, mask] = [images.get(name), masks.get(name)];
    const where = mask ?? `${LIST_FOLDER} of ${root}`;
    if (image === undefined) {
      throw new DatasetError(`${where} belongs to ${name}, which is missing in ${folders.images}: add the image`);
    }
    return {
      image,
      where,
      path: pathBelow(root, image),
      isTest: listed.get(name) ?? false,
      masks: mask === undefined ? new Map() : await masksOfClasses(mask, classes),
    };
  });
  return annotatedContents(root, root, found, needsTypes, faults);
}

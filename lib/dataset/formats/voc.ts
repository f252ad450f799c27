/** Reads Pascal VOC's layout for segmentation, which CVAT exports: an image of classes for each photograph. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetError, withFileErrors } from '../../core/errors.js';
import type { DatasetContents } from '../contents.js';
import { fewAtOnce } from '../few-at-once.js';
import { imagesBelow, isFolder } from '../folders.js';
import { type AnnotatedImage, annotatedContents } from './annotated.js';
import { type Classes, masksOfClasses } from './class-image.js';
import { filesIn, isFile, isTestName, pathBelow } from './files.js';

/** The folder of the images of classes. */
export const CLASS_FOLDER = 'SegmentationClass';
const IMAGE_FOLDER = 'JPEGImages';
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
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, name, ...channels] = /^(.+?):(\d+),(\d+),(\d+)(?::|$)/.exec(line.trim()) ?? [];
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
  for (const file of await filesIn(join(root, 'ImageSets', 'Segmentation'), ['.txt'])) {
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

/** Opens a folder with `JPEGImages` and `SegmentationClass`. */
export async function openVoc(root: string, needsTypes: boolean): Promise<DatasetContents> {
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
  const names = [...new Set([...masks.keys(), ...listed.keys()])].sort();
  const found = await fewAtOnce(names, async (name): Promise<AnnotatedImage> => {
    const [image, mask] = [images.get(name), masks.get(name)];
    const where = mask ?? `ImageSets/Segmentation of ${root}`;
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
  return annotatedContents(root, root, found, needsTypes);
}

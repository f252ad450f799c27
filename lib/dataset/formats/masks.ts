/** Reads images beside their masks, and the public datasets with such layouts: VisA and KolektorSDD. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetError, withFileErrors } from '../../core/errors.js';
import { warn } from '../../core/warnings.js';
import type { DatasetContents } from '../contents.js';
import { decodeImage } from '../decode.js';
import type { Faults } from '../faults.js';
import { someOf, stemOf } from '../folders.js';
import { ImageInMemory, type ImageSource } from '../image-source.js';
import { readMask } from '../mask-file.js';
import { type AnnotatedImage, annotatedContents, typeOf } from './annotated.js';
import { type Classes, masksOfClasses } from './class-image.js';
import { filesBelow, isTestName } from './files.js';
import { isGoodFolder, isPartFolder } from './folder-names.js';
import { type MaskPair, maskPairsBelow } from './mask-pairs.js';

/** Defects have this type where the folders of a dataset name none. */
const ONLY_TYPE = 'defect';
/** Roboflow lists the numbers of classes in this file. */
const CLASS_LIST = '_classes.csv';

type ReadMasks = (pair: MaskPair & { mask: string }) => Promise<ReadonlyMap<string, ImageSource>>;

const isGood = ({ folders }: MaskPair) => folders.some(isGoodFolder);

/** Makes the contents of pairs. Images in a folder of good ones, and those whose mask is blank, are good. */
async function contentsOfPairs(
  root: string,
  needsTypes: boolean,
  faults: Faults,
  readMasks: ReadMasks,
): Promise<DatasetContents> {
  const pairs = await maskPairsBelow(root, faults);
  const used = pairs.filter((pair) => pair.mask !== undefined || isGood(pair));
  const left = pairs.filter((pair) => !used.includes(pair)).map(({ path }) => path);
  if (left.length > 0) {
    warn(
      `Images in ${root} are left out because they have no mask: ${someOf(left)}. Good photographs belong in a folder named good.`,
    );
  }
  if (used.length === 0) {
    throw new DatasetError(
      `${root} holds no images with masks: expected images/NAME.png with masks/NAME.png, or NAME.png with NAME_mask.png`,
    );
  }
  const images = await faults.readEach(used, async (pair): Promise<AnnotatedImage> => {
    const { image, mask, path, folders } = pair;
    const masks = mask === undefined ? new Map<string, ImageSource>() : await readMasks({ ...pair, mask });
    return { image, path, where: mask ?? image, isTest: folders.some(isTestName), masks };
  });
  return annotatedContents(root, root, images, needsTypes, faults);
}

/** Returns the mask of a type, or nothing if it is blank. */
async function unlessBlank(type: string, mask: ImageSource): Promise<ReadonlyMap<string, ImageSource>> {
  const { data } = await readMask(mask);
  return data.includes(255) ? new Map([[type, mask]]) : new Map();
}

/** Reads the names of classes by their numbers. Throws ERR_DATASET_INVALID with the line that cannot be used. */
async function readClasses(file: string): Promise<Classes> {
  const text = await withFileErrors('read', file, () => readFile(file, 'utf8'));
  const byNumber = new Map<number, string | undefined>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (i === 0 || line.trim() === '') continue;
    const [, number, name] = /^\s*(\d+)\s*,\s*(.+?)\s*$/.exec(line) ?? [];
    if (name === undefined)
      throw new DatasetError(`Expected number,name in line ${i + 1} of ${file} but received ${line}`);
    byNumber.set(Number(number), name.toLowerCase() === 'background' ? undefined : name);
  }
  const byColour = new Map([...byNumber].map(([number, name]) => [number * 0x010101, name]));
  return { byColour, byNumber, listedIn: file };
}

/**
 * Opens images beside their masks. The type is the name of the first folder that is not a part such as `train`, or
 * `defect`. Folders below a folder of images come before those above it. With a list of classes, as Roboflow writes it, masks hold the numbers of their classes.
 */
export async function openMasks(root: string, needsTypes: boolean, faults: Faults): Promise<DatasetContents> {
  const lists = await filesBelow(root, [CLASS_LIST], 1);
  if (lists.length > 0) {
    const classes = await readClasses(lists[0] as string);
    return contentsOfPairs(root, needsTypes, faults, ({ mask }) => masksOfClasses(mask, classes));
  }
  return contentsOfPairs(root, needsTypes, faults, ({ mask, folders, below }) => {
    const named = [...below, ...folders].find((name) => !isPartFolder(name)) ?? ONLY_TYPE;
    return unlessBlank(isGoodFolder(named) ? ONLY_TYPE : typeOf(named, mask), mask);
  });
}

/** Opens KolektorSDD (`kos01/Part0.jpg`, `Part0_label.bmp`) or KolektorSDD2 (`train/10000.png`, `10000_GT.png`). */
export const openKolektor = (root: string, needsTypes: boolean, faults: Faults): Promise<DatasetContents> =>
  contentsOfPairs(root, needsTypes, faults, ({ mask }) => unlessBlank(ONLY_TYPE, mask));

/** VisA's masks hold a number for each kind of defect, without a list of the kinds. All of them are one type here. */
const VISA_TYPE = 'anomaly';

/** Opens a category of VisA: `Data/Images/Normal`, `Data/Images/Anomaly` and `Data/Masks/Anomaly`. */
export const openVisa = (root: string, needsTypes: boolean, faults: Faults): Promise<DatasetContents> =>
  contentsOfPairs(root, needsTypes, faults, async ({ mask }) => {
    const marked = new ImageInMemory(mask, stemOf(mask), async () => {
      const { data, width, height, channels, alpha } = await decodeImage(mask);
      const pixels = new Uint8Array(width * height);
      const colours = channels - (alpha ? 1 : 0); // The alpha of a pixel says nothing about defects.
      for (let i = 0; i < data.length; i++) {
        if (i % channels < colours && data[i] !== 0) pixels[Math.floor(i / channels)] = 255;
      }
      return { data: pixels, width, height, channels: 1 as const };
    });
    return unlessBlank(VISA_TYPE, marked);
  });

/** The folder of a category of VisA that holds its images. */
export const visaFolder = (root: string): string => join(root, 'Data', 'Images');

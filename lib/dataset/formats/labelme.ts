/** Reads labelme's JSON files, one for each image. The labels are the defect types. */
import { dirname, parse } from 'node:path';
import { z } from 'zod';
import { DatasetError } from '../../core/errors.js';
import { warn } from '../../core/warnings.js';
import type { DatasetContents } from '../contents.js';
import type { Faults } from '../faults.js';
import { partIn } from '../file-parts.js';
import { recordIn } from '../file-records.js';
import { imagesBelow, isFolder, someOf } from '../folders.js';
import { ImageInMemory, type ImageSource } from '../image-source.js';
import { type AnnotatedImage, annotatedContents, ShapesByType, typeOf } from './annotated.js';
import { filesBelow, findImage, isTestName, pathBelow } from './files.js';
import { isGoodFolder } from './folder-names.js';
import { checkEntry, jsonFormatOf, readJsonData } from './json-file.js';
import { labelmeShape, shapeSchema } from './labelme-shapes.js';

/** labelme keeps these labels for pixels that belong to no type. */
const NO_TYPE = ['_background_', '__ignore__'];
const MAX_DEPTH = 8;

const side = z.int('a number of pixels').positive('a number of pixels').nullish();
const fileSchema = z.looseObject(
  {
    shapes: z.array(z.unknown(), 'a list'),
    imagePath: z.string('a path').nullish(),
    imageData: z.string('a text or null').nullish(),
    imageWidth: side,
    imageHeight: side,
  },
  'an object { shapes, imagePath }',
);

const foldersOf = (path: string) => path.split('/').slice(0, -1);

/** Returns the image inside of a labelme file. It is read again whenever it is needed, because it may be large. */
function embeddedImage(file: string): ImageInMemory {
  const read = async () => {
    const { imageData } = checkEntry(fileSchema, await readJsonData(file), file);
    return Buffer.from(imageData ?? '', 'base64');
  };
  return new ImageInMemory(`the image in ${file}`, parse(file).name.normalize('NFC'), read, undefined, file);
}

/** Reads one file. Shapes that cannot be used are faults (ERR_DATASET_INVALID). */
async function readFile(file: string, root: string, faults: Faults): Promise<AnnotatedImage | undefined> {
  const value = await readJsonData(file);
  if (jsonFormatOf(value) !== 'labelme') return undefined;
  const { shapes, imagePath, imageData, imageWidth, imageHeight } = checkEntry(fileSchema, value, file);
  const byType = new ShapesByType();
  for (const [i, entry] of shapes.entries()) {
    const where = `${file}: shapes[${i}]`;
    await faults.attempt(() => {
      const shape = checkEntry(shapeSchema, entry, where);
      if (NO_TYPE.includes(shape.label)) return;
      byType.add(typeOf(shape.label, `The label of ${where}`), labelmeShape(shape, `${where} (${shape.label})`));
    });
  }
  const image: ImageSource = imageData
    ? embeddedImage(file)
    : await findImage(imagePath ?? '', [dirname(file)], root, file);
  const size = imageWidth && imageHeight ? { width: imageWidth, height: imageHeight } : undefined;
  const path = pathBelow(root, typeof image === 'string' ? image : file);
  const masks = byType.masksOf(image, { where: file, size });
  const part = partIn(value);
  const isTest = part ? part === 'test' : foldersOf(path).some(isTestName);
  return { image, path, where: file, isTest, masks, size, ...recordIn(value) };
}

/** Returns the images in folders of good ones, without those at `labelled`. A warning names the other images that have no file of labelme. */
async function unlabelled(root: string, labelled: readonly string[]): Promise<AnnotatedImage[]> {
  // An image inside of a labelme file usually also lies beside it.
  const known = new Set(labelled.map((path) => path.replace(/\.[^./]*$/, '')));
  const others = (await imagesBelow(root)).map((image) => ({ image, path: pathBelow(root, image) }));
  const rest = others.filter(({ path }) => !known.has(path.replace(/\.[^./]*$/, '')));
  const isGood = (path: string) => foldersOf(path).some(isGoodFolder);
  const left = rest.filter(({ path }) => !isGood(path)).map(({ path }) => path);
  if (left.length > 0) {
    warn(
      `Images in ${root} are left out because labelme has no file for them: ${someOf(left)}. Good photographs belong in a folder named good.`,
    );
  }
  return rest
    .filter(({ path }) => isGood(path))
    .map(({ image, path }) => ({
      image,
      path,
      where: image,
      isTest: foldersOf(path).some(isTestName),
      masks: new Map(),
    }));
}

/** Opens one labelme file, or a folder with labelme files and images. */
export async function openLabelme(path: string, needsTypes: boolean, faults: Faults): Promise<DatasetContents> {
  if (!(await isFolder(path))) {
    const only = await faults.read((own) => readFile(path, dirname(path), own));
    if (!only && faults.isEmpty) throw new DatasetError(`${path} is not a file of labelme: it has no list of shapes`);
    return annotatedContents(dirname(path), path, only ? [only] : [], needsTypes, faults);
  }
  const files = await filesBelow(path, ['.json'], MAX_DEPTH);
  const labelled: string[] = [];
  const read = await faults.readEach(files, async (file, own) => {
    const image = await own.attempt(() => readFile(file, path, own));
    if (image) labelled.push(image.path);
    if (!own.isEmpty) labelled.push(pathBelow(path, file)); // The image of a faulty file is not taken for a good one.
    return image;
  });
  if (labelled.length === 0) throw new DatasetError(`${path} holds no file of labelme`);
  return annotatedContents(path, path, [...read, ...(await unlabelled(path, labelled))], needsTypes, faults);
}

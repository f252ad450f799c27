/** Reads the XML files that CVAT exports as "CVAT for images 1.1". The labels are the defect types. */
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { DatasetError } from '../../core/errors.js';
import { warn } from '../../core/warnings.js';
import type { DatasetContents } from '../contents.js';
import type { Faults } from '../faults.js';
import { isFolder, someOf } from '../folders.js';
import { type AnnotatedImage, annotatedContents, ShapesByType, typeOf } from './annotated.js';
import { cvatShape } from './cvat-shapes.js';
import { type CvatImage, isCvatFile, readCvatImages } from './cvat-xml.js';
import { filesIn, findImage, isTestName, pathBelow } from './files.js';
import { checkEntry } from './json-file.js';

const side = z
  .string()
  .regex(/^[1-9]\d{0,8}$/, 'a number of pixels')
  .transform(Number);
const imageSchema = z.looseObject(
  { name: z.string('a path'), width: side, height: side, subset: z.string().optional() },
  'the attributes name, width and height',
);

/** This element labels the whole image. */
const TAG = 'tag';

/** Returns the first file of CVAT in a folder, or undefined if there is none. */
export async function cvatFileIn(folder: string): Promise<string | undefined> {
  for (const file of await filesIn(folder, ['.xml'])) if (await isCvatFile(file)) return file;
  return undefined;
}

/** Returns the only file of CVAT in a folder. Throws ERR_DATASET_INVALID if there is none, or if there are several. */
async function onlyFileIn(folder: string): Promise<string> {
  const files: string[] = [];
  for (const file of await filesIn(folder, ['.xml'])) if (await isCvatFile(file)) files.push(file);
  const [file, ...others] = files;
  if (file === undefined) throw new DatasetError(`${folder} holds no XML file of CVAT: expected annotations.xml in it`);
  if (others.length === 0) return file;
  throw new DatasetError(`${folder} holds several XML files of CVAT (${someOf(files)}): name one of them`);
}

/** Makes the masks of an image. Shapes that cannot be used are faults (ERR_DATASET_INVALID). */
async function readImage(element: CvatImage, file: string, root: string, faults: Faults): Promise<AnnotatedImage> {
  const line = `${file}: line ${element.line}`;
  const { name, subset = '', ...size } = checkEntry(imageSchema, element.attributes, `${line}: the image`);
  const where = `${line} (${name})`;
  const images = join(root, 'images');
  const image = await findImage(name, [join(images, subset), images, root], root, where);
  const shapes = new ShapesByType();
  for (const shape of element.shapes.filter((one) => one.name !== TAG)) {
    const place = `${file}: line ${shape.line}, ${shape.name} in ${name}`;
    const { label } = shape.attributes;
    await faults.attempt(() => {
      if (label === undefined) throw new DatasetError(`${place} has no label: give it one`);
      shapes.add(typeOf(label, place), cvatShape(shape, place));
    });
  }
  const path = pathBelow(root, image);
  const isTest = isTestName(subset) || path.split('/').slice(0, -1).some(isTestName);
  return { image, path, where, isTest, size, masks: shapes.masksOf(image, { where, size }) };
}

/** Opens `annotations.xml`, or the folder that holds it beside `images`. */
export async function openCvat(path: string, needsTypes: boolean, faults: Faults): Promise<DatasetContents> {
  const file = (await isFolder(path)) ? await onlyFileIn(path) : path;
  const root = dirname(file);
  const found: AnnotatedImage[] = [];
  const onlyTagged: string[] = [];
  for (const element of await readCvatImages(file)) {
    const { shapes, attributes } = element;
    const isTagged = shapes.length > 0 && shapes.every(({ name }) => name === TAG);
    // The tag may name a defect, so the image is not taken for a good one.
    if (isTagged) {
      onlyTagged.push(attributes.name ?? '');
      continue;
    }
    const image = await faults.read((own) => readImage(element, file, root, own));
    if (image) found.push(image);
  }
  if (onlyTagged.length > 0) {
    warn(`Images of ${file} are left out because they have a tag but no shape: ${someOf(onlyTagged)}.`);
  }
  return annotatedContents(root, file, found, needsTypes, faults);
}

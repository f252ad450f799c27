/** Reads COCO's JSON files, with polygons and run lengths. The categories are the defect types. */
import { basename, dirname, join, parse } from 'node:path';
import { z } from 'zod';
import { DatasetError } from '../../core/errors.js';
import type { DatasetContents } from '../contents.js';
import { partIn } from '../file-parts.js';
import { recordIn } from '../file-records.js';
import { foldersIn, isFolder, someOf } from '../folders.js';
import { type AnnotatedImage, annotatedContents, ShapesByType, typeOf } from './annotated.js';
import type { Shape } from './canvas.js';
import { fillPolygon } from './coco-polygon.js';
import { fillRuns, type Runs } from './coco-runs.js';
import { filesIn, findImage, isTestName, pathBelow, rootOf } from './files.js';
import { isPartFolder } from './folder-names.js';
import { checkEntry, jsonFormatOf, readJsonData } from './json-file.js';

const id = z.union([z.number(), z.string()], 'a number or a text');
const side = z.int('a number of pixels').positive('a number of pixels').optional();
const fileSchema = z.looseObject(
  {
    images: z.array(z.unknown(), 'a list'),
    annotations: z.array(z.unknown(), 'a list'),
    categories: z.array(z.looseObject({ id, name: z.string('a text') }, 'an object { id, name }'), 'a list'),
  },
  'an object { images, annotations, categories }',
);
const imageSchema = z.looseObject(
  { id, file_name: z.string('a path'), width: side, height: side },
  'an object { id, file_name }',
);
const annotationSchema = z.looseObject(
  { image_id: id, category_id: id, segmentation: z.unknown().optional() },
  'an object { image_id, category_id, segmentation }',
);
const isNumbers = (value: unknown): value is number[] => Array.isArray(value) && value.every(Number.isFinite);

/** Returns the shape of a polygon of x and y in turn. Throws ERR_DATASET_INVALID for fewer than three points. */
export function polygonShape(points: unknown, where: string): Shape {
  if (!isNumbers(points) || points.length % 2 !== 0) {
    throw new DatasetError(`${where} has a polygon that is not a list of x and y in turn: export it again`);
  }
  if (points.length < 6) {
    throw new DatasetError(
      `${where} has a polygon of ${points.length / 2} points: expected at least 3, so complete or remove it`,
    );
  }
  return { draw: (canvas) => fillPolygon(canvas, points, where) };
}

const runsSchema = z.looseObject({
  counts: z.union([z.string(), z.array(z.number())], 'a text or a list of numbers'),
  size: z.tuple([z.int(), z.int()], 'a height and a width'),
});

/** Returns the shape of run lengths. Throws ERR_DATASET_INVALID for anything else. */
export function runsShape(runs: unknown, where: string): Shape {
  const checked: Runs = checkEntry(runsSchema, runs, where);
  return { draw: (canvas) => fillRuns(canvas, checked, where) };
}

/** Returns the shapes of a segmentation. Throws ERR_DATASET_INVALID if there is none, as in an annotation of a box. */
function shapesOf(segmentation: unknown, where: string): Shape[] {
  if (Array.isArray(segmentation) && segmentation.length > 0) {
    return segmentation.map((points) => polygonShape(points, where));
  }
  if (typeof segmentation === 'object' && segmentation !== null && 'counts' in segmentation) {
    return [runsShape(segmentation, where)];
  }
  throw new DatasetError(`${where} has no segmentation: expected polygons or run lengths, because a box is no mask`);
}

/** Lists the folders where tools put the images of an annotation file. */
function imageFolders(file: string, root: string): string[] {
  const part = parse(file).name.replace(/^(instances|person_keypoints)_/, '');
  const images = join(root, 'images');
  return [dirname(file), root, images, join(images, part), join(root, part), join(root, 'data')];
}

/** Reads the images of one file. Throws ERR_DATASET_INVALID with the entry that cannot be used. */
async function readFile(file: string, value: unknown, root: string): Promise<AnnotatedImage[]> {
  const { images, annotations, categories } = checkEntry(fileSchema, value, file);
  const names = new Map<number | string, string>();
  for (const { id: number, name } of categories) {
    if (names.has(number)) throw new DatasetError(`${file} lists the category id ${number} twice: export it again`);
    names.set(number, name);
  }
  const byImage = new Map<number | string, { shapes: ShapesByType }>();
  const isTest = pathBelow(root, file).split('/').some(isTestName);
  const found: AnnotatedImage[] = [];
  const entries = images.map((image, i) => checkEntry(imageSchema, image, `${file}: images[${i}]`));
  for (const { id: number } of entries) {
    if (byImage.has(number)) throw new DatasetError(`${file} lists the image id ${number} twice: export it again`);
    byImage.set(number, { shapes: new ShapesByType() });
  }
  for (const [i, entry] of annotations.entries()) {
    const annotation = checkEntry(annotationSchema, entry, `${file}: annotations[${i}]`);
    const where = `${file}: annotations[${i}] (id ${annotation.id ?? 'missing'})`;
    const image = byImage.get(annotation.image_id);
    if (!image)
      throw new DatasetError(
        `${where} has the image_id ${annotation.image_id}, which is not among the images: add the image there, or remove the annotation`,
      );
    const name = names.get(annotation.category_id);
    if (name === undefined) {
      const known = [...names].map(([key, one]) => `${key} (${one})`);
      throw new DatasetError(
        `${where} has the category_id ${annotation.category_id}, which is not among the categories ${someOf(known)}: add it there`,
      );
    }
    const type = typeOf(name, `${file}: the category ${annotation.category_id}`);
    for (const shape of shapesOf(annotation.segmentation, where)) image.shapes.add(type, shape);
  }
  const folders = imageFolders(file, root);
  for (const entry of entries) {
    const { id: number, file_name: name, width, height } = entry;
    const where = `${file}: image ${number} (${name})`;
    const image = await findImage(name, folders, root, where);
    const size = width !== undefined && height !== undefined ? { width, height } : undefined;
    const masks = (byImage.get(number) as { shapes: ShapesByType }).shapes.masksOf(image, { where, size });
    const part = partIn(entry);
    found.push({
      ...{ image, path: pathBelow(root, image), where, masks },
      isTest: part ? part === 'test' : isTest,
      ...recordIn(entry),
    });
  }
  return found;
}

/** Roboflow puts a file of this name beside the images of each part. */
const BESIDE_IMAGES = '_annotations.coco.json';

/** Lists the files with annotations in a folder, where COCO, CVAT, FiftyOne and Roboflow put them. */
async function filesOf(folder: string): Promise<string[]> {
  const files = [...(await filesIn(folder, ['.json'])), ...(await filesIn(join(folder, 'annotations'), ['.json']))];
  for (const { name, path } of await foldersIn(folder)) {
    if (isPartFolder(name)) files.push(...(await filesIn(path, [BESIDE_IMAGES])));
  }
  // The other files of COCO list the same images with captions or key points.
  const instances = files.filter((file) => basename(file).startsWith('instances_'));
  return instances.length > 0 ? instances : files;
}

/** Opens a COCO file, or all COCO files of a folder. */
export async function openCoco(path: string, needsTypes: boolean): Promise<DatasetContents> {
  if (!(await isFolder(path))) {
    const root = rootOf(path);
    return annotatedContents(root, path, await readFile(path, await readJsonData(path), root), needsTypes);
  }
  const images: AnnotatedImage[] = [];
  let count = 0;
  for (const file of await filesOf(path)) {
    const value = await readJsonData(file);
    if (jsonFormatOf(value) !== 'coco') continue;
    count++;
    images.push(...(await readFile(file, value, path)));
  }
  if (count === 0) {
    throw new DatasetError(
      `${path} holds no COCO file: expected one in it, in annotations, or in the folder of each part`,
    );
  }
  return annotatedContents(path, path, images, needsTypes);
}

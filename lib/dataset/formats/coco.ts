/** Reads COCO's JSON files, with polygons and run lengths. The categories are the defect types. */
import { basename, dirname, join, parse } from 'node:path';
import { z } from 'zod';
import { DatasetError } from '../../core/errors.js';
import type { DatasetContents } from '../contents.js';
import type { Faults } from '../faults.js';
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
/** Some tools write the id 1 as "1" in one list and as 1 in another one. Both are the same. */
const keyOf = String;
const side = z.int('a number of pixels').positive('a number of pixels').optional();
const fileSchema = z.looseObject(
  {
    images: z.array(z.unknown(), 'a list'),
    annotations: z.array(z.unknown(), 'a list'),
    categories: z.array(z.unknown(), 'a list'),
  },
  'an object { images, annotations, categories }',
);
const categorySchema = z.looseObject({ id, name: z.string('a text') }, 'an object { id, name }');
const imageSchema = z.looseObject(
  { id, file_name: z.string('a path'), width: side, height: side },
  'an object { id, file_name }',
);
const annotationSchema = z.looseObject(
  { image_id: id, category_id: id, segmentation: z.unknown().optional() },
  'an object { image_id, category_id, segmentation }',
);
/** What must be known of an entry that cannot be used, so that the image it belongs to is not used either. */
const withId = z.looseObject({ id });
const withImageId = z.looseObject({ image_id: id });
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
  return { where, draw: (canvas) => fillPolygon(canvas, points, where) };
}

const runsSchema = z.looseObject({
  counts: z.union([z.string(), z.array(z.number())], 'a text or a list of numbers'),
  size: z.tuple([z.int(), z.int()], 'a height and a width'),
});

/** Returns the shape of run lengths. Throws ERR_DATASET_INVALID for anything else. */
export function runsShape(runs: unknown, where: string): Shape {
  const checked: Runs = checkEntry(runsSchema, runs, where);
  return { where, draw: (canvas) => fillRuns(canvas, checked, where) };
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

/**
 * Returns the names of the categories by the keys of their ids. Entries that cannot be used are faults, and so are ids that
 * are listed twice. Their names are undefined.
 */
async function readCategories(file: string, categories: readonly unknown[], faults: Faults) {
  const names = new Map<string, string | undefined>();
  for (const [i, entry] of categories.entries()) {
    const category = await faults.attempt(() => checkEntry(categorySchema, entry, `${file}: categories[${i}]`));
    const { data } = category ? { data: category } : withId.safeParse(entry);
    if (!data) continue;
    const key = keyOf(data.id);
    const isTwice = names.has(key);
    names.set(key, isTwice ? undefined : category?.name);
    if (isTwice) faults.add(new DatasetError(`${file} lists the category id ${data.id} twice: export it again`));
  }
  return names;
}

/** An entry of the list of images with the shapes of its annotations. */
interface ListedImage {
  /** Undefined if the entry cannot be used, but has an id that annotations may name. */
  entry?: z.output<typeof imageSchema>;
  shapes: ShapesByType;
  /** True if the entry or one of its annotations has a fault, so that its masks would be incomplete. */
  isFaulty: boolean;
}

/** Reads the list of images. Returns its entries by the keys of their ids. */
async function readImages(file: string, images: readonly unknown[], faults: Faults) {
  const byId = new Map<string, ListedImage>();
  const entries: z.output<typeof imageSchema>[] = [];
  for (const [i, image] of images.entries()) {
    const entry = await faults.attempt(() => checkEntry(imageSchema, image, `${file}: images[${i}]`));
    if (entry) {
      entries.push(entry);
      continue;
    }
    const { data } = withId.safeParse(image);
    if (data) byId.set(keyOf(data.id), { shapes: new ShapesByType(), isFaulty: true });
  }
  for (const entry of entries) {
    const known = byId.get(keyOf(entry.id));
    if (!known) byId.set(keyOf(entry.id), { entry, shapes: new ShapesByType(), isFaulty: false });
    else {
      known.isFaulty = true;
      faults.add(new DatasetError(`${file} lists the image id ${entry.id} twice: export it again`));
    }
  }
  return byId;
}

/**
 * Adds an annotation to its image. Returns false if its category has a fault. Throws ERR_DATASET_INVALID if it cannot be
 * used itself.
 */
function addAnnotation(
  file: string,
  entry: unknown,
  i: number,
  images: ReadonlyMap<string, ListedImage>,
  names: ReadonlyMap<string, string | undefined>,
): boolean {
  const annotation = checkEntry(annotationSchema, entry, `${file}: annotations[${i}]`);
  const { image_id: imageId, category_id: categoryId, segmentation } = annotation;
  const where = `${file}: annotations[${i}] (id ${annotation.id ?? 'missing'})`;
  const image = images.get(keyOf(imageId));
  if (!image)
    throw new DatasetError(
      `${where} has the image_id ${JSON.stringify(imageId)}, which is not among the images: add the image there, or remove the annotation`,
    );
  const name = names.get(keyOf(categoryId));
  if (!names.has(keyOf(categoryId))) {
    const known = [...names].map(([key, one]) => `${key} (${one})`);
    throw new DatasetError(
      `${where} has the category_id ${JSON.stringify(categoryId)}, which is not among the categories ${someOf(known)}: add it there`,
    );
  }
  const type = name === undefined ? undefined : typeOf(name, `${file}: the category ${categoryId}`);
  const shapes = shapesOf(segmentation, where);
  if (type === undefined) return false;
  for (const shape of shapes) image.shapes.add(type, shape);
  return true;
}

/** Reads the images of one file. Entries that cannot be used are faults (ERR_DATASET_INVALID). */
async function readFile(file: string, value: unknown, root: string, faults: Faults): Promise<AnnotatedImage[]> {
  const { images, annotations, categories } = checkEntry(fileSchema, value, file);
  const names = await readCategories(file, categories, faults);
  const byId = await readImages(file, images, faults);
  for (const [i, entry] of annotations.entries()) {
    const isUsed = await faults.attempt(() => addAnnotation(file, entry, i, byId, names));
    if (isUsed) continue;
    const { data } = withImageId.safeParse(entry);
    const image = data && byId.get(keyOf(data.image_id));
    if (image) image.isFaulty = true;
  }
  const isTest = pathBelow(root, file).split('/').some(isTestName);
  const folders = imageFolders(file, root);
  const found: AnnotatedImage[] = [];
  for (const { entry, shapes, isFaulty } of byId.values()) {
    if (!entry) continue;
    const { id: number, file_name: name, width, height } = entry;
    const where = `${file}: image ${number} (${name})`;
    const image = await faults.attempt(() => findImage(name, folders, root, where));
    if (image === undefined || isFaulty) continue;
    const size = width !== undefined && height !== undefined ? { width, height } : undefined;
    const masks = shapes.masksOf(image, { where, size });
    const part = partIn(entry);
    found.push({
      ...{ image, path: pathBelow(root, image), where, masks, size },
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
export async function openCoco(path: string, needsTypes: boolean, faults: Faults): Promise<DatasetContents> {
  if (!(await isFolder(path))) {
    const root = rootOf(path);
    const listed = await readFile(path, await readJsonData(path), root, faults);
    return annotatedContents(root, path, listed, needsTypes, faults);
  }
  const images: AnnotatedImage[] = [];
  let count = 0;
  for (const file of await filesOf(path)) {
    const listed = await faults.attempt(async () => {
      const value = await readJsonData(file);
      return jsonFormatOf(value) === 'coco' ? readFile(file, value, path, faults) : undefined;
    });
    if (listed) count++;
    images.push(...(listed ?? []));
  }
  if (count === 0 && faults.isEmpty) {
    throw new DatasetError(
      `${path} holds no COCO file: expected one in it, in annotations, or in the folder of each part`,
    );
  }
  return annotatedContents(path, path, images, needsTypes, faults);
}

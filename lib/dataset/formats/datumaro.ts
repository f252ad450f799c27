/** Reads Datumaro's JSON files, which CVAT exports, with polygons and masks. The labels are the defect types. */
import { join, parse } from 'node:path';
import { z } from 'zod';
import { DatasetError } from '../../core/errors.js';
import { warn } from '../../core/warnings.js';
import type { DatasetContents } from '../contents.js';
import type { Faults } from '../faults.js';
import { isFolder, someOf } from '../folders.js';
import { type AnnotatedImage, annotatedContents, ShapesByType, typeOf } from './annotated.js';
import type { Shape } from './canvas.js';
import { polygonShape, runsShape } from './coco.js';
import { filesIn, findImage, isTestName, pathBelow, rootOf } from './files.js';
import { checkEntry, jsonFormatOf, readJsonData } from './json-file.js';

const labels = z.array(z.looseObject({ name: z.string('a text') }, 'an object { name }'), 'a list');
const fileSchema = z.looseObject(
  {
    categories: z.looseObject({ label: z.looseObject({ labels }, 'an object { labels }') }, 'an object { label }'),
    items: z.array(z.unknown(), 'a list'),
  },
  'an object { categories, items }',
);
const itemSchema = z.looseObject(
  {
    id: z.string('a text'),
    annotations: z.array(
      z.looseObject({ type: z.string('a text'), label_id: z.int('a number').nullish() }, 'an object { type }'),
      'a list',
    ),
    image: z.looseObject(
      {
        path: z.string('a path').optional(),
        size: z.tuple([z.int(), z.int()], 'a height and a width').nullish(),
      },
      'an object { path }',
    ),
  },
  'an object { id, annotations, image }',
);

type Item = z.output<typeof itemSchema>;

/** These annotations say something about the whole image. */
const OF_THE_IMAGE = ['label', 'caption'];

function shapeOf(annotation: Record<string, unknown>, where: string): Shape {
  if (annotation.type === 'polygon') return polygonShape(annotation.points, where);
  if (annotation.type === 'mask') return runsShape(annotation.rle, where);
  throw new DatasetError(
    `${where} is a ${annotation.type}, which does not mark pixels: expected a polygon or a mask, so draw one or remove it`,
  );
}

/** The parts of a file that its items need. */
interface Labelled {
  file: string;
  root: string;
  /** The names of the labels by their numbers. */
  names: readonly string[];
}

const isOfTheImage = ({ type }: { type: string }) => OF_THE_IMAGE.includes(type);

/** Reads an item. Annotations that cannot be used are faults (ERR_DATASET_INVALID). */
async function readItem(item: Item, where: string, { file, root, names }: Labelled, faults: Faults) {
  const { id, annotations, image: named } = item;
  const shapes = new ShapesByType();
  for (const [k, annotation] of annotations.filter((one) => !isOfTheImage(one)).entries()) {
    await faults.attempt(() => {
      const name = names[annotation.label_id ?? -1];
      if (name === undefined) {
        throw new DatasetError(
          `${where} has the label_id ${annotation.label_id}, but the labels are ${names.map((one, n) => `${n} (${one})`).join(', ')}: correct it`,
        );
      }
      shapes.add(
        typeOf(name, `${file}: the label ${annotation.label_id}`),
        shapeOf(annotation, `${where}, shape ${k}`),
      );
    });
  }
  const part = parse(file).name;
  const images = join(root, 'images');
  const path = named.path === undefined || named.path === '' ? `${id}.jpg` : named.path;
  const image = await findImage(path, [join(images, part), images, root], root, where);
  const size = named.size ? { height: named.size[0], width: named.size[1] } : undefined;
  const masks = shapes.masksOf(image, { where, size });
  return { image, path: pathBelow(root, image), where, isTest: isTestName(part), masks, size };
}

/** Reads the images of one file. Items that cannot be used are faults (ERR_DATASET_INVALID). */
async function readFile(file: string, value: unknown, root: string, faults: Faults): Promise<AnnotatedImage[]> {
  const { categories, items } = checkEntry(fileSchema, value, file);
  const labelled = { file, root, names: categories.label.labels.map(({ name }) => name) };
  const found: AnnotatedImage[] = [];
  const onlyLabelled: string[] = [];
  for (const [i, entry] of items.entries()) {
    const image = await faults.read(async (own) => {
      const item = checkEntry(itemSchema, entry, `${file}: items[${i}]`);
      const { id, annotations } = item;
      // The label may be that of a defect, so the image is not taken for a good one.
      const isOnlyLabelled = annotations.every(isOfTheImage) && annotations.some(({ type }) => type === 'label');
      if (!isOnlyLabelled) return readItem(item, `${file}: items[${i}] (${id})`, labelled, own);
      onlyLabelled.push(id);
      return undefined;
    });
    if (image) found.push(image);
  }
  if (onlyLabelled.length > 0) {
    warn(`Images of ${file} are left out because they have a label but no shape: ${someOf(onlyLabelled)}.`);
  }
  return found;
}

/** Opens a Datumaro file, or a folder with `annotations/*.json` and `images`. */
export async function openDatumaro(path: string, needsTypes: boolean, faults: Faults): Promise<DatasetContents> {
  const isWhole = await isFolder(path);
  const root = isWhole ? path : rootOf(path);
  const files = isWhole
    ? [...(await filesIn(path, ['.json'])), ...(await filesIn(join(path, 'annotations'), ['.json']))]
    : [path];
  const images: AnnotatedImage[] = [];
  let count = 0;
  for (const file of files) {
    const listed = await faults.attempt(async () => {
      const value = await readJsonData(file);
      return isWhole && jsonFormatOf(value) !== 'datumaro' ? undefined : readFile(file, value, root, faults);
    });
    if (listed) count++;
    images.push(...(listed ?? []));
  }
  if (count === 0 && faults.isEmpty)
    throw new DatasetError(`${path} holds no Datumaro file: expected annotations/*.json in it`);
  return annotatedContents(root, path, images, needsTypes, faults);
}

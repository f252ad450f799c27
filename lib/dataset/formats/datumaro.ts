/** Reads Datumaro's JSON files, which CVAT exports, with polygons and masks. The labels are the defect types. */
import { join, parse } from 'node:path';
import { z } from 'zod';
import { DatasetError } from '../../core/errors.js';
import { warn } from '../../core/warnings.js';
import type { DatasetContents } from '../contents.js';
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

/** These annotations say something about the whole image. */
const OF_THE_IMAGE = ['label', 'caption'];

function shapeOf(annotation: Record<string, unknown>, where: string): Shape {
  if (annotation.type === 'polygon') return polygonShape(annotation.points, where);
  if (annotation.type === 'mask') return runsShape(annotation.rle, where);
  throw new DatasetError(
    `${where} is a ${annotation.type}, which does not mark pixels: expected a polygon or a mask, so draw one or remove it`,
  );
}

/** Reads the images of one file. Throws ERR_DATASET_INVALID with the item that cannot be used. */
async function readFile(file: string, value: unknown, root: string): Promise<AnnotatedImage[]> {
  const { categories, items } = checkEntry(fileSchema, value, file);
  const names = categories.label.labels.map(({ name }) => name);
  const part = parse(file).name;
  const images = join(root, 'images');
  const found: AnnotatedImage[] = [];
  const onlyLabelled: string[] = [];
  for (const [i, entry] of items.entries()) {
    const { id, annotations, image: named } = checkEntry(itemSchema, entry, `${file}: items[${i}]`);
    const where = `${file}: items[${i}] (${id})`;
    const shapes = new ShapesByType();
    const drawn = annotations.filter(({ type }) => !OF_THE_IMAGE.includes(type));
    for (const [k, annotation] of drawn.entries()) {
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
    }
    if (drawn.length === 0 && annotations.some(({ type }) => type === 'label')) {
      onlyLabelled.push(id); // The label may be that of a defect, so the image is not taken for a good one.
      continue;
    }
    const path = named.path === undefined || named.path === '' ? `${id}.jpg` : named.path;
    const image = await findImage(path, [join(images, part), images, root], root, where);
    const size = named.size ? { height: named.size[0], width: named.size[1] } : undefined;
    const masks = shapes.masksOf(image, { where, size });
    found.push({ image, path: pathBelow(root, image), where, isTest: isTestName(part), masks });
  }
  if (onlyLabelled.length > 0) {
    warn(`Images of ${file} are left out because they have a label but no shape: ${someOf(onlyLabelled)}.`);
  }
  return found;
}

/** Opens a Datumaro file, or a folder with `annotations/*.json` and `images`. */
export async function openDatumaro(path: string, needsTypes: boolean): Promise<DatasetContents> {
  const isWhole = await isFolder(path);
  const root = isWhole ? path : rootOf(path);
  const files = isWhole
    ? [...(await filesIn(path, ['.json'])), ...(await filesIn(join(path, 'annotations'), ['.json']))]
    : [path];
  const images: AnnotatedImage[] = [];
  let count = 0;
  for (const file of files) {
    const value = await readJsonData(file);
    if (isWhole && jsonFormatOf(value) !== 'datumaro') continue;
    count++;
    images.push(...(await readFile(file, value, root)));
  }
  if (count === 0) throw new DatasetError(`${path} holds no Datumaro file: expected annotations/*.json in it`);
  return annotatedContents(root, path, images, needsTypes);
}

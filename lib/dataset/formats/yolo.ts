/** Reads the segmentation datasets of Ultralytics' YOLO: `data.yaml` and a text file of polygons for each image. */
import { readFile } from 'node:fs/promises';
import { dirname, join, parse, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { DatasetError, withFileErrors } from '../../core/errors.js';
import { warn } from '../../core/warnings.js';
import type { DatasetContents } from '../contents.js';
import { fewAtOnce } from '../few-at-once.js';
import { imagesBelow, isFolder, someOf } from '../folders.js';
import { type AnnotatedImage, annotatedContents } from './annotated.js';
import { filesIn, findImage, isFile, isInside, pathBelow } from './files.js';
import { checkEntry } from './json-file.js';
import { readLabels } from './yolo-labels.js';

const PARTS = ['train', 'val', 'test'] as const;
const paths = z.union([z.string(), z.array(z.string())], 'a path or a list of paths').nullish();
const schema = z.looseObject(
  {
    names: z.union([z.array(z.string()), z.record(z.string(), z.string())], 'the names of the classes'),
    nc: z.int('a number').optional(),
    path: z.string('a path').nullish(),
    train: paths,
    val: paths,
    test: paths,
  },
  'a record with names, train and val',
);
type Config = z.output<typeof schema>;

async function readYaml(file: string): Promise<unknown> {
  const text = await withFileErrors('read', file, () => readFile(file, 'utf8'));
  try {
    return parseYaml(text);
  } catch (cause) {
    throw new DatasetError(`${file} is not YAML: ${(cause as Error).message.split('\n')[0]}`, { cause });
  }
}

/**
 * Finds the file that describes the dataset: one named `data` or `dataset`, or the first one that names classes and
 * images. Returns undefined if there is none.
 */
export async function yoloFileIn(folder: string): Promise<string | undefined> {
  const files = await filesIn(folder, ['.yaml', '.yml']);
  const named = files.find((file) => ['data', 'dataset'].includes(parse(file).name.toLowerCase()));
  if (named) return named;
  for (const file of files) {
    const value = await readYaml(file).catch(() => undefined); // Other files need not be YAML that we can read.
    if (typeof value === 'object' && value !== null && 'names' in value && ('train' in value || 'val' in value)) {
      return file;
    }
  }
  return undefined;
}

/** Reads the description. Throws ERR_DATASET_INVALID if it is not YAML, or lacks the names of the classes. */
async function readConfig(file: string): Promise<Config & { classes: Map<number, string> }> {
  const config = checkEntry(schema, await readYaml(file), file);
  const classes = new Map(Object.entries(config.names).map(([number, name]) => [Number(number), name]));
  if (config.nc !== undefined && config.nc !== classes.size) {
    throw new DatasetError(`${file} says nc: ${config.nc}, but it names ${classes.size} classes: correct one of them`);
  }
  return { ...config, classes };
}

/**
 * Finds the folder or list of a part. Tools write the path relative to the file, to `path`, or one level too high. Paths
 * of another machine are not followed. Returns undefined if nothing is there.
 */
async function placeOf(root: string, base: string | null | undefined, given: string): Promise<string | undefined> {
  const path = given.replaceAll('\\', '/');
  const candidates = [
    resolve(root, base ?? '.', path),
    resolve(root, path),
    resolve(root, path.replace(/^(\.\.\/)+/, '')),
  ];
  for (const place of candidates) {
    if (isInside(root, place) && ((await isFolder(place)) || (await isFile(place)))) return place;
  }
  return undefined;
}

/** Lists the images of a folder, or those that a text file names, one on each line. */
async function imagesOf(place: string, root: string): Promise<string[]> {
  if (await isFolder(place)) return imagesBelow(place);
  const text = await withFileErrors('read', place, () => readFile(place, 'utf8'));
  const images: string[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const path = line.trim();
    const inArchive = path.replace(/^data\//, ''); // CVAT writes paths that begin with a folder that it does not export.
    const name = (await isFile(join(root, path))) ? path : inArchive;
    images.push(await findImage(name, [dirname(place), root], root, `${place}: line ${i + 1}`));
  }
  return images;
}

/** Returns the file with the polygons of an image: in `labels` instead of `images`, or beside the image. */
function labelFileOf(root: string, image: string): string {
  const { dir, name } = parse(pathBelow(root, image));
  const parts = dir.split('/');
  const at = parts.lastIndexOf('images');
  if (at >= 0) parts[at] = 'labels';
  return join(root, ...parts, `${name}.txt`);
}

/** Opens `data.yaml`, or the folder that holds it. */
export async function openYolo(path: string, needsTypes: boolean): Promise<DatasetContents> {
  const file = (await isFolder(path)) ? await yoloFileIn(path) : path;
  if (file === undefined) throw new DatasetError(`${path} holds no data.yaml, which names the classes and the images`);
  const root = dirname(file);
  const { classes, path: base, ...config } = await readConfig(file);
  const found: AnnotatedImage[] = [];
  const unlabelled: string[] = [];
  const seen = new Set<string>();
  for (const part of PARTS) {
    const given = config[part] ?? [];
    for (const one of typeof given === 'string' ? [given] : given) {
      const place = await placeOf(root, base, one);
      if (place === undefined) {
        const message = `${file} names ${one} for ${part}, which is missing below ${root}`;
        if (part === 'train') throw new DatasetError(`${message}: correct the path, relative to the file`);
        warn(`${message}. It is left out.`); // Roboflow names parts that have no images.
        continue;
      }
      // Small datasets name the same images for several parts.
      const images = (await imagesOf(place, root)).filter((image) => !seen.has(image));
      for (const image of images) seen.add(image);
      const read = await fewAtOnce(images, async (image) => {
        const labels = labelFileOf(root, image);
        if (!(await isFile(labels))) unlabelled.push(pathBelow(root, image));
        const masks = (await readLabels(labels, classes, file)).masksOf(image, { where: labels });
        return { image, path: pathBelow(root, image), where: labels, isTest: part === 'test', masks };
      });
      found.push(...read);
    }
  }
  if (unlabelled.length > 0) {
    warn(
      `Images of ${file} are taken for good ones because they have no file of labels: ${someOf(unlabelled.sort())}. Add the files if these images show defects.`,
    );
  }
  return annotatedContents(root, file, found, needsTypes);
}

/** Reads the segmentation datasets of Ultralytics' YOLO: `data.yaml` and a text file of polygons for each image. */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, parse, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { DatasetError, withFileErrors } from '../../core/errors.js';
import { warn } from '../../core/warnings.js';
import type { DatasetContents } from '../contents.js';
import type { Faults } from '../faults.js';
import { foldersIn, imagesBelow, isFolder, someOf } from '../folders.js';
import { type AnnotatedImage, annotatedContents } from './annotated.js';
import { filesIn, findImage, isFile, isInside, pathBelow } from './files.js';
import { checkEntry } from './json-file.js';
import { LabelFiles } from './yolo-label-files.js';
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

/** Finds a file named `data` or `dataset`, or the first one that names classes and images. */
async function ownFileIn(folder: string): Promise<string | undefined> {
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

/**
 * Finds the file that describes the dataset in a folder. It may lie in a folder of its own, beside those of the images.
 * Returns undefined if there is none.
 */
export async function yoloFileIn(folder: string): Promise<string | undefined> {
  const own = await ownFileIn(folder);
  if (own) return own;
  for (const { path } of await foldersIn(folder)) {
    const file = await ownFileIn(path);
    if (file === undefined) continue;
    // A file that cannot be read gives its error where its own folder is opened.
    const config = await readConfig(file).catch(() => undefined);
    const [first] = [config?.train ?? []].flat();
    if (first !== undefined && (await liesBeside(file, config?.path, first))) return file;
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

type Base = string | null | undefined;

/**
 * Finds the folder or list of a part below `root`. Tools write the path relative to the file, to `path`, or one level too
 * high. Paths of another machine are not followed. Returns undefined if nothing is there.
 */
async function placeOf(file: string, root: string, base: Base, given: string): Promise<string | undefined> {
  const path = given.replaceAll('\\', '/');
  const from = dirname(file);
  const candidates = [
    resolve(from, (base ?? '.').replaceAll('\\', '/'), path),
    resolve(from, path),
    resolve(from, path.replace(/^(\.\.\/)+/, '')),
  ];
  for (const place of candidates) {
    if (isInside(root, place) && ((await isFolder(place)) || (await isFile(place)))) return place;
  }
  return undefined;
}

/** Tells whether a relative path leads to a part beside the folder of the file, and not in it. */
async function liesBeside(file: string, base: Base, given: string): Promise<boolean> {
  const own = dirname(file);
  if (isAbsolute(base ?? '.') || isAbsolute(given)) return false;
  if (await placeOf(file, own, base, given)) return false;
  return (await placeOf(file, dirname(own), base, given)) !== undefined;
}

/** Lists the images of a folder, or those that a text file names, one on each line. */
async function imagesOf(place: string, root: string, faults: Faults): Promise<string[]> {
  if (await isFolder(place)) return imagesBelow(place);
  const text = await withFileErrors('read', place, () => readFile(place, 'utf8'));
  const images: string[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const path = line.trim();
    const inArchive = path.replace(/^data\//, ''); // CVAT writes paths that begin with a folder that it does not export.
    const name = (await isFile(join(root, path))) ? path : inArchive;
    const where = `${place}: line ${i + 1}`;
    const image = await faults.attempt(() => findImage(name, [dirname(place), root], root, where));
    if (image !== undefined) images.push(image);
  }
  return images;
}

/** Opens `data.yaml`, or the folder that holds it and the images. */
export async function openYolo(path: string, needsTypes: boolean, faults: Faults): Promise<DatasetContents> {
  const isWhole = await isFolder(path);
  const file = isWhole ? await yoloFileIn(path) : path;
  if (file === undefined) throw new DatasetError(`${path} holds no data.yaml, which names the classes and the images`);
  const root = isWhole ? path : dirname(file);
  const { classes, path: base, ...config } = await readConfig(file);
  const found: AnnotatedImage[] = [];
  const unlabelled: string[] = [];
  const seen = new Set<string>();
  const labelFiles = new LabelFiles(root);
  for (const part of PARTS) {
    const given = config[part] ?? [];
    for (const one of typeof given === 'string' ? [given] : given) {
      const place = await placeOf(file, root, base, one);
      if (place === undefined) {
        const isBeside = root === dirname(file) && (await liesBeside(file, base, one));
        const [what, next] = isBeside
          ? ['lies outside of', `open ${dirname(root)}, which holds both`]
          : ['is missing below', 'correct the path, relative to the file'];
        const message = `${file} names ${one} for ${part}, which ${what} ${root}`;
        if (part === 'train') faults.add(new DatasetError(`${message}: ${next}`));
        else warn(`${message}. It is left out.`); // Roboflow names parts that have no images.
        continue;
      }
      // Small datasets name the same images for several parts.
      const images = (await imagesOf(place, root, faults)).filter((image) => !seen.has(image));
      for (const image of images) seen.add(image);
      const read = await faults.readEach(images, async (image, own): Promise<AnnotatedImage> => {
        const labels = await labelFiles.fileOf(image);
        const common = { image, path: pathBelow(root, image), isTest: part === 'test' };
        if (labels === undefined) {
          unlabelled.push(common.path);
          return { ...common, where: image, masks: new Map() };
        }
        const masks = (await readLabels(labels, classes, file, own)).masksOf(image, { where: labels });
        return { ...common, where: labels, masks };
      });
      found.push(...read);
    }
  }
  if (unlabelled.length > 0) {
    warn(
      `Images of ${file} are taken for good ones because they have no file of labels: ${someOf(unlabelled.sort())}. Add the files if these images show defects.`,
    );
  }
  const orphans = await labelFiles.orphans();
  if (orphans.length > 0) warn(`Files of labels in ${root} belong to no image: ${someOf(orphans)}.`);
  return annotatedContents(root, file, found, needsTypes, faults);
}

/** Finds the maps of test images in a folder that another program has written. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join, parse, resolve, sep } from 'node:path';
import { DatasetError, withFileErrors } from '../core/errors.js';
import type { Example } from '../dataset/dataset.js';
import { isFolder, someOf } from '../dataset/folders.js';
import type { ImageSource } from '../dataset/image-source.js';
import { goodNameOf } from '../detect/squares.js';
import { MAP_ENDINGS } from './map-file.js';
import { GOOD } from './split.js';

/** This file in a folder of maps holds a line `image,score` for each test image. */
export const SCORE_LIST = 'scores.csv';

/** Images in these folders of a category are no test images. A list of scores of the whole category names them. */
const OTHER_SPLITS = /^(train|validation|ground_truth)\//;

/** An image of a dataset, as a folder of maps names it. */
export interface NamedImage {
  /** The type of its defect, or `good`. */
  set: string;
  /** The name in the evaluation. */
  name: string;
  /** The paths below the folder of maps that may name it, without a map's ending. The first one that exists counts. */
  paths: string[];
}

/** The maps of all test images, and their scores if the folder has them, by {@link idOf}. */
export interface MapsFolder {
  files: ReadonlyMap<string, string>;
  scores: ReadonlyMap<string, number> | undefined;
}

/** Returns the same text for the same image. */
export const idOf = ({ set, name }: NamedImage): string => `${set}/${name}`;

const normal = (path: string) => path.split(sep).join('/').normalize('NFC');
const withoutEnding = (path: string) => path.slice(0, path.length - parse(path).ext.length);

/** Returns the names of an image of a defect. Two images may differ in their endings alone. */
export function namedDefect(type: string, { name, image }: Example): NamedImage {
  const file = typeof image === 'string' ? basename(image) : name;
  return { set: type, name, paths: [normal(`${type}/${file}`), normal(`${type}/${name}`)] };
}

/** Returns the names of a good image. */
export function namedGood(source: ImageSource): NamedImage {
  const name = goodNameOf(source);
  return { set: GOOD, name, paths: [normal(`${GOOD}/${name}`), normal(`${GOOD}/${withoutEnding(name)}`)] };
}

/** Lists the maps below a folder by their paths without the ending. Throws ERR_DATASET_INVALID for two of one name. */
async function mapsBelow(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const names = await withFileErrors('read', folder, () => readdir(folder, { recursive: true }));
  for (const name of names.sort()) {
    if (!MAP_ENDINGS.includes(parse(name).ext.toLowerCase()) || basename(name).startsWith('.')) continue;
    const path = normal(withoutEnding(name));
    const before = found.get(path);
    if (before !== undefined) throw new DatasetError(`${before} and ${join(folder, name)} are two maps of one image`);
    found.set(path, join(folder, name));
  }
  return found;
}

/** Returns the list of scores beside the maps or in the folder above. Throws ERR_DATASET_INVALID if there are two. */
function scoreListIn(folder: string, root: string): string | undefined {
  const [file, other] = [...new Set([folder, root])].map((one) => join(one, SCORE_LIST)).filter(existsSync);
  if (other !== undefined) throw new DatasetError(`${file} and ${other} are two lists of scores: remove one`);
  return file;
}

/**
 * Reads the scores of images. Paths may be those below the folder of the category, as `detect` lists them if it is given
 * that folder. Throws ERR_DATASET_INVALID with the line that cannot be used.
 */
async function readScores(
  file: string,
  tested: readonly NamedImage[],
  known: ReadonlySet<string>,
): Promise<Map<string, number>> {
  const lines = (await withFileErrors('read', file, () => readFile(file, 'utf8')))
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/);
  const columns = (lines[0] ?? '').trim().split(',');
  if (columns[0] !== 'image' || columns[1] !== 'score') {
    throw new DatasetError(
      `Expected image,score in the first line of ${file} but received ${JSON.stringify(lines[0] ?? '')}`,
    );
  }
  // Columns after the score, such as those of `detect`, are not read. A path may hold commas.
  const pattern = new RegExp(`^(.*),([^,]*)${',[^,]*'.repeat(columns.length - 2)}$`);
  const listed = new Map<string, number>();
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue;
    const [, path = '', text = ''] = pattern.exec(line) ?? [];
    const listedPath = normal(path.trim().replace(/^"(.*)"$/, (_, quoted: string) => quoted.replaceAll('""', '"')));
    const image = known.has(listedPath) ? listedPath : listedPath.replace(/^test\//, '');
    const score = text.trim() === '' ? Number.NaN : Number(text);
    const where = `line ${index + 1} of ${file}`;
    if (image === '' || !Number.isFinite(score)) {
      throw new DatasetError(`Expected an image and its finite score in ${where} but received ${JSON.stringify(line)}`);
    }
    if (!known.has(image) && OTHER_SPLITS.test(image)) continue;
    if (!known.has(image)) throw new DatasetError(`${where} names ${image}, which the dataset does not have`);
    if (listed.has(image)) throw new DatasetError(`${image} is listed twice: see ${where}`);
    listed.set(image, score);
  }
  const scores = new Map<string, number>();
  for (const image of tested) {
    const path = image.paths.find((one) => listed.has(one));
    if (path === undefined) throw new DatasetError(`${file} has no score of ${image.paths[0]}`);
    scores.set(idOf(image), listed.get(path) as number);
  }
  return scores;
}

/**
 * Finds the map of each test image: `<type>/<name>.*` or `good/<name>.*` in the folder, or in its subfolder `test`.
 * `all` are the images of the dataset, of which some may not be tested. Throws ERR_DATASET_INVALID if maps are missing,
 * or belong to no image.
 */
export async function openMaps(
  path: string,
  tested: readonly NamedImage[],
  all: readonly NamedImage[],
): Promise<MapsFolder> {
  const root = resolve(path);
  const isSplit = !all.some(({ set }) => set === 'test') && (await isFolder(join(root, 'test')));
  const folder = isSplit ? join(root, 'test') : root;
  const maps = await mapsBelow(folder);
  const files = new Map<string, string>();
  const owners = new Map<string, NamedImage>();
  const missing: string[] = [];
  for (const image of tested) {
    const file = image.paths.map((one) => maps.get(one)).find((one) => one !== undefined);
    if (file === undefined) {
      missing.push(image.paths.at(-1) as string);
      continue;
    }
    const owner = owners.get(file);
    if (owner !== undefined) {
      throw new DatasetError(
        `${file} would be the map of both ${owner.paths[0]} and ${image.paths[0]}: name each map after the whole file, as in ${basename(image.paths[0] as string)}${parse(file).ext}`,
      );
    }
    owners.set(file, image);
    files.set(idOf(image), file);
  }
  if (missing.length > 0) {
    throw new DatasetError(
      `${folder} lacks the maps of ${missing.length} of ${tested.length} test images: expected ${someOf(missing)}, with the ending ${MAP_ENDINGS.join(', ')}`,
    );
  }
  const known = new Set(all.flatMap(({ paths }) => paths));
  const extra = [...maps].filter(([name]) => !known.has(name)).map(([, file]) => file);
  if (extra.length > 0) {
    throw new DatasetError(
      `${extra.length} maps belong to no image of the dataset: ${someOf(extra)}. Name them <type>/<name> or ${GOOD}/<name>, or remove them`,
    );
  }
  const list = scoreListIn(folder, root);
  return { files, scores: list === undefined ? undefined : await readScores(list, tested, known) };
}

import { basename, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';
import { DatasetError, InvalidOptionError } from '../core/errors.js';
import { writeFileAtomic } from '../core/files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { pathInside } from '../core/path-inside.js';
import { realPathOf } from '../core/real-path.js';
import { lockFolder } from '../core/write-lock.js';
import { encodeFloatTiff } from '../dataset/float-tiff.js';
import { imagesBelow, isFolder } from '../dataset/folders.js';
import { Detector } from '../detect/detector.js';
import { checkOptions } from '../options/check.js';
import { detectSchema } from '../options/detect.js';
import type { DetectJobOptions } from '../options/generated.js';
import type { JobContext } from './job.js';

/** Holds the result of scoring images. */
export interface DetectResult {
  out: string;
  /** The file with the score of each image. */
  scores: string;
  images: number;
  /** This number of images has at least the threshold that the detector stores. It is missing if it stores none. */
  defects?: number;
}

/** This file lists the images with their scores. */
const SCORES = 'scores.csv';

/** An image to score. */
interface Input {
  file: string;
  /** Its path below the folder of images. */
  image: string;
  /** The path of its map below the folder of results. */
  map: string;
}

/** Tells whether a path is a folder, or lies below it. Both are real paths. */
function isWithin(folder: string, path: string): boolean {
  const below = relative(folder, path);
  return below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below);
}

/** Throws ERR_INVALID_OPTION if a file of results would replace an image, even one that a link leads to. */
async function keepImages(inputs: readonly Input[], out: string): Promise<void> {
  const images = new Map<string, string>();
  for (const { file } of inputs) images.set(await realPathOf(file), file);
  for (const name of [SCORES, ...inputs.map(({ map }) => map)]) {
    const target = pathInside(out, name);
    const image = images.get(await realPathOf(target));
    if (image === undefined) continue;
    throw new InvalidOptionError(
      `Expected another folder for out than ${out}, because ${target} would replace the image ${image}`,
    );
  }
}

/** Lists the images. Throws ERR_DATASET_INVALID if there are none, or if two maps would have the same path. */
async function inputsIn(images: string, out: string): Promise<Input[]> {
  if (!(await isFolder(images))) {
    return [{ file: images, image: basename(images), map: `${parse(images).name}.tiff` }];
  }
  if (isWithin(await realPathOf(images), await realPathOf(out))) {
    throw new InvalidOptionError(`Expected a folder outside of ${images} for out but received ${out}`);
  }
  const files = await imagesBelow(images);
  if (files.length === 0) throw new DatasetError(`${images} holds no images`);
  const taken = new Map<string, string>();
  return files.map((file) => {
    const image = relative(images, file);
    const { dir, name } = parse(image);
    const map = join(dir, `${name}.tiff`);
    const other = taken.get(map);
    if (other !== undefined) {
      throw new DatasetError(`${other} and ${file} would share the map ${map}: rename one of them`);
    }
    taken.set(map, file);
    return { file, image, map };
  });
}

const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/**
 * Scores images with a fitted detector. It writes a map of each image, `<path>.tiff` of 32-bit floats at the image's
 * size, and the scores of the images to `scores.csv`. Scores are raw: higher is more anomalous, in the detector's own
 * range.
 *
 * Throws ERR_WEIGHTS_INVALID, ERR_DATASET_INVALID with the image that cannot be read, ERR_INVALID_OPTION if results
 * would replace an image, and ERR_BUSY.
 */
export async function detect(options: DetectJobOptions, context: JobContext = {}): Promise<DetectResult> {
  const { detector: file, images, device, out: outFolder } = checkOptions(detectSchema, options);
  const { signal, onEvent } = context;
  const out = resolve(outFolder);
  await using detector = await Detector.load(file, { device, signal });
  const inputs = await inputsIn(resolve(images), out);
  await keepImages(inputs, out);
  await using _lock = await lockFolder(out);
  const threshold = detector.info.thresholds?.image;
  const header = ['image', 'score', ...(threshold === undefined ? [] : ['defect'])];
  const lines = [header.join(',')];
  let defects = 0;
  for (const [index, { file: source, image, map: path }] of inputs.entries()) {
    const { map, score } = await detector.score(source, { signal });
    const target = pathInside(out, path);
    await removePartialFiles(parse(target).dir, (found) => found === basename(target));
    await writeFileAtomic(target, await encodeFloatTiff(map.data, map.width, map.height));
    const isDefect = threshold !== undefined && score >= threshold;
    if (isDefect) defects++;
    const decision = threshold === undefined ? [] : [String(isDefect)];
    lines.push([quoted(image.split(sep).join('/')), String(score), ...decision].join(','));
    onEvent?.({ event: 'progress', stage: 'detect', unit: 'images', done: index + 1, total: inputs.length });
  }
  const scores = join(out, SCORES);
  await writeFileAtomic(scores, `${lines.join('\n')}\n`);
  return { out, scores, images: inputs.length, ...(threshold !== undefined && { defects }) };
}

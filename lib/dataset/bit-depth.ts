/** Finds how many bits the samples of 16-bit files use. Cameras with 10, 12 or 14 bits store them in 16. */
import { stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { DatasetError, withFileErrors } from '../core/errors.js';
import { fewAtOnce } from '../core/few-at-once.js';
import { warn } from '../core/warnings.js';
import { type Decoded, decodeImage } from './decode.js';
import { foldersIn, imagesBelow, isFolder } from './folders.js';
import { type ImageGroup, type ImageSource, labelOf } from './image-source.js';

/** The bit depths of cameras. Some programs also write 8-bit samples into 16 bits. */
const DEPTHS = [8, 10, 12, 14];
const FULL = 16;
/** The number of images that decide the depth of all images in a folder or list. */
const EXAMINED_IMAGES = 64;

/** Returns the largest sample of all channels except alpha. */
function largestSample({ data, channels, alpha }: Decoded): number {
  const colours = channels - (alpha ? 1 : 0);
  let most = 0;
  for (let i = 0; i < data.length; i += channels) {
    for (let channel = 0; channel < colours; channel++) most = Math.max(most, data[i + channel] as number);
  }
  return most;
}

const bitsFor = (most: number): number => DEPTHS.find((bits) => most < 2 ** bits) ?? FULL;

/**
 * Lists the images that must be read with the same depth as `path`. In MVTec AD's layout, these are all images of the
 * category. Otherwise they are the images of the folder.
 */
async function imagesOfOneDepth(path: string): Promise<{ folder: string; files: string[] }> {
  const parts = path.split(sep);
  const good = parts.lastIndexOf('good');
  const root =
    parts.at(-3) === 'test'
      ? parts.length - 3
      : ['train', 'test'].includes(parts[good - 1] ?? '')
        ? good - 1
        : undefined;
  if (root === undefined) {
    const folder = parts.slice(0, -1).join(sep);
    return { folder, files: await imagesBelow(folder) };
  }
  const folder = parts.slice(0, root).join(sep);
  const test = [folder, 'test'].join(sep);
  const types = (await isFolder(test)) ? await foldersIn(test) : [];
  const found = [await imagesBelow([folder, 'train', 'good'].join(sep))];
  // The reader of that folder reports the error.
  for (const type of types) found.push(await imagesBelow(type.path).catch(() => []));
  return { folder, files: found.flat() };
}

/** Returns a part of the images that is spread evenly over the list. */
function sampleOf<Source extends ImageSource>(images: readonly Source[]): Source[] {
  const step = Math.max(1, images.length / EXAMINED_IMAGES);
  return images.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
}

async function bitsOf(chosen: readonly ImageSource[]): Promise<{ bits: number; most: number }> {
  let most = 0;
  await fewAtOnce(chosen, async (source) => {
    if (bitsFor(most) === FULL) return;
    const decoded = await decodeImage(source).catch(() => undefined); // The reader of that image reports the error.
    if (decoded?.data instanceof Uint16Array) most = Math.max(most, largestSample(decoded));
  });
  return { bits: bitsFor(most), most };
}

/** Returns a text that changes if one of the files is written again. */
async function stateOf(files: readonly string[]): Promise<string> {
  const states = files.map(async (file) => {
    const { size, mtimeMs } = await stat(file);
    return `${file} ${size} ${mtimeMs}`;
  });
  return (await Promise.all(states)).join('\n');
}

type Depth = { bits: number; most: number };

/** The depth of each folder is kept until its files change, so that all of its images are read with one range. */
const folderDepths = new Map<string, { state: string; depth: Promise<Depth> }>();
const groupDepths = new WeakMap<ImageGroup, Promise<Depth>>();

async function depthOfFolder(path: string): Promise<Depth & { among: string }> {
  const { folder, files } = await imagesOfOneDepth(path);
  const chosen = sampleOf(files.includes(path) ? files : [path, ...files]);
  const state = await withFileErrors('read', folder, () => stateOf(chosen));
  let known = folderDepths.get(folder);
  if (known?.state !== state) {
    known = { state, depth: bitsOf(chosen) };
    folderDepths.set(folder, known);
  }
  return { ...(await known.depth), among: folder };
}

async function depthOfGroup(group: ImageGroup): Promise<Depth & { among: string }> {
  const depth = groupDepths.get(group) ?? bitsOf(sampleOf(group.images));
  groupDepths.set(group, depth);
  return { ...(await depth), among: group.label };
}

/**
 * Returns the number of bits that the samples of a 16-bit image use. It is less than 16 if no image of the same
 * category, folder or list uses more. Throws ERR_DATASET_INVALID for an image that exceeds the range of the others.
 */
export async function bitDepthOf(image: Decoded): Promise<number> {
  const own = largestSample(image);
  const { source } = image;
  const isFile = typeof source === 'string';
  const { bits, most, among } = await (isFile ? depthOfFolder(source) : depthOfGroup(source.group));
  if (bits === FULL) return FULL;
  const range = `0 to ${2 ** bits - 1}`;
  if (own >= 2 ** bits) {
    throw new DatasetError(
      `${labelOf(source)} has 16-bit samples up to ${own}, but the other images of ${among} are ${bits} bits, ${range}: save all of them with 8 bits, or with the same range`,
    );
  }
  warn(`The 16-bit images of ${among} have samples up to ${most}: they are read as ${bits} bits, ${range}.`);
  return bits;
}

/** How many bits 16-bit samples use: cameras of 10, 12 or 14 bits write them into 16. */
import { stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { DatasetError, withFileErrors } from '../core/errors.js';
import { warn } from '../core/warnings.js';
import { type Decoded, decodeImage } from './decode.js';
import { fewAtOnce } from './few-at-once.js';
import { foldersIn, imagesBelow, isFolder } from './folders.js';
import { type ImageGroup, type ImageSource, labelOf } from './image-source.js';

/** Depths of cameras, and of 8 bits that something has widened. */
const DEPTHS = [8, 10, 12, 14];
const FULL = 16;
/** Images that are looked at to tell the depth of all. */
const LOOKED_AT = 64;

/** The largest sample, without alpha. */
export function largest({ data, channels, alpha }: Decoded): number {
  const colours = channels - (alpha ? 1 : 0);
  let most = 0;
  for (let i = 0; i < data.length; i += channels) {
    for (let channel = 0; channel < colours; channel++) most = Math.max(most, data[i + channel] as number);
  }
  return most;
}

const bitsFor = (most: number): number => DEPTHS.find((bits) => most < 2 ** bits) ?? FULL;

/** What an image is read with: its category's images in MVTec AD's layout, else those of its folder. */
async function companions(path: string): Promise<{ folder: string; files: string[] }> {
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
  for (const type of types) found.push(await imagesBelow(type.path).catch(() => [])); // told by whoever reads it
  return { folder, files: found.flat() };
}

/** Some of the images, evenly spread. */
function sampleOf<Source extends ImageSource>(images: readonly Source[]): Source[] {
  const step = Math.max(1, images.length / LOOKED_AT);
  return images.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
}

async function bitsOf(chosen: readonly ImageSource[]): Promise<{ bits: number; most: number }> {
  let most = 0;
  await fewAtOnce(chosen, async (source) => {
    if (bitsFor(most) === FULL) return;
    const decoded = await decodeImage(source).catch(() => undefined); // told by whoever reads it
    if (decoded?.data instanceof Uint16Array) most = Math.max(most, largest(decoded));
  });
  return { bits: bitsFor(most), most };
}

/** What files are now: another text once they were written again. */
async function stateOf(files: readonly string[]): Promise<string> {
  const states = files.map(async (file) => {
    const { size, mtimeMs } = await stat(file);
    return `${file} ${size} ${mtimeMs}`;
  });
  return (await Promise.all(states)).join('\n');
}

type Depth = { bits: number; most: number };

/** By folder, so that all of its images are read alike for as long as they stay the same. */
const ofFolders = new Map<string, { state: string; looking: Promise<Depth> }>();
const ofGroups = new WeakMap<ImageGroup, Promise<Depth>>();

async function depthOfFolder(path: string): Promise<Depth & { among: string }> {
  const { folder, files } = await companions(path);
  const chosen = sampleOf(files.includes(path) ? files : [path, ...files]);
  const state = await withFileErrors('read', folder, () => stateOf(chosen));
  let known = ofFolders.get(folder);
  if (known?.state !== state) {
    known = { state, looking: bitsOf(chosen) };
    ofFolders.set(folder, known);
  }
  return { ...(await known.looking), among: folder };
}

async function depthOfGroup(group: ImageGroup): Promise<Depth & { among: string }> {
  const looking = ofGroups.get(group) ?? bitsOf(sampleOf(group.images));
  ofGroups.set(group, looking);
  return { ...(await looking), among: group.label };
}

/**
 * The bits that a 16-bit image's samples use: 16, or fewer where no image of its category (or folder, or list) uses more.
 * Throws ERR_DATASET_INVALID for an image that is out of the others' range.
 */
export async function bitDepthOf(image: Decoded): Promise<number> {
  const own = largest(image);
  const { source } = image;
  const isFile = typeof source === 'string';
  const { bits, most, among } = await (isFile ? depthOfFolder(source) : depthOfGroup(source.group));
  if (bits === FULL) return FULL;
  const range = `0 to ${2 ** bits - 1}`;
  if (own >= 2 ** bits) {
    throw new DatasetError(
      `${labelOf(source)} has 16-bit samples up to ${own}, but the other images of ${among} are ${bits} bits, ${range}: save all with 8 bits, or with one range`,
    );
  }
  warn(`The 16-bit images of ${among} have samples up to ${most}: they are read as ${bits} bits, ${range}.`);
  return bits;
}

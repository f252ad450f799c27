/** How many bits 16-bit samples use: cameras of 10, 12 or 14 bits write them into 16. */
import { stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { DatasetError, withFileErrors } from '../core/errors.js';
import { warn } from '../core/warnings.js';
import { type Decoded, decodeFile } from './decode.js';
import { fewAtOnce } from './few-at-once.js';
import { foldersIn, imagesBelow, isFolder } from './folders.js';

/** Depths of cameras, and of 8 bits that something has widened. */
const DEPTHS = [8, 10, 12, 14];
const FULL = 16;
/** Files that are looked at to tell the depth of all. */
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

/** Some of the files, evenly spread. */
function sampleOf(files: readonly string[]): string[] {
  const step = Math.max(1, files.length / LOOKED_AT);
  return files.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
}

async function bitsOf(chosen: readonly string[]): Promise<{ bits: number; most: number }> {
  let most = 0;
  await fewAtOnce(chosen, async (file) => {
    if (bitsFor(most) === FULL) return;
    const decoded = await decodeFile(file).catch(() => undefined); // told by whoever reads it
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

/** By folder, so that all of its images are read alike for as long as they stay the same. */
const found = new Map<string, { state: string; looking: Promise<{ bits: number; most: number }> }>();

/**
 * The bits that a 16-bit image's samples use: 16, or fewer where no image of its category (or folder) uses more.
 * Throws ERR_DATASET_INVALID for an image that is out of the others' range.
 */
export async function bitDepthOf(image: Decoded): Promise<number> {
  const own = largest(image);
  const { folder, files } = await companions(image.path);
  const chosen = sampleOf(files.includes(image.path) ? files : [image.path, ...files]);
  const state = await withFileErrors('read', folder, () => stateOf(chosen));
  let known = found.get(folder);
  if (known?.state !== state) {
    known = { state, looking: bitsOf(chosen) };
    found.set(folder, known);
  }
  const { bits, most } = await known.looking;
  if (bits === FULL) return FULL;
  const range = `0 to ${2 ** bits - 1}`;
  if (own >= 2 ** bits) {
    throw new DatasetError(
      `${image.path} has 16-bit samples up to ${own}, but the other images of ${folder} are ${bits} bits, ${range}: save all with 8 bits, or with one range`,
    );
  }
  warn(`The 16-bit images of ${folder} have samples up to ${most}: they are read as ${bits} bits, ${range}.`);
  return bits;
}

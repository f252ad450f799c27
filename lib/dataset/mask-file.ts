/** Reads masks. docs/images.md describes how each kind of mask is read. */
import { DatasetError } from '../core/errors.js';
import { type PixelData, RawImage } from '../core/image.js';
import { warn } from '../core/warnings.js';
import { type Decoded, decodeImage } from './decode.js';
import { requireUnitFloats, type Stored } from './image-file.js';
import { type ImageSource, labelOf } from './image-source.js';
import { type Levels, thresholdOf } from './mask-levels.js';
import { turned, turnedSize } from './orientation.js';

/** The weights of red, green and blue in luminance (Rec. 709). */
const LUMINANCE = [0.2126, 0.7152, 0.0722] as const;
/** A colour counts as grey if its channels differ by at most this, in 1 / 255. */
const GREY_SPREAD = 32;
/** The number of levels that an error lists. */
const MAX_LISTED = 8;

/** A mask with its size and orientation in the file. */
interface StoredMask extends Stored {
  mask: PixelData;
}

/** Returns samples as integers. Floats are scaled so that 1 becomes 65535. */
function integersOf({ source, data }: Decoded): Uint8Array | Uint16Array {
  if (!(data instanceof Float32Array)) return data;
  requireUnitFloats(source, data);
  return Uint16Array.from(data, (value) => Math.round(65535 * Math.min(Math.max(value, 0), 1)));
}

/**
 * Returns one channel of samples whose channels are equal, as in most masks, with its largest sample. Returns undefined
 * for others.
 */
function greyChannel(numbers: Uint8Array | Uint16Array, channels: number) {
  if (channels !== 1 && channels !== 3) return undefined;
  const count = numbers.length / channels;
  const data = channels === 1 ? numbers : new (numbers instanceof Uint8Array ? Uint8Array : Uint16Array)(count);
  let peak = 0;
  for (let i = 0, from = 0; i < count; i++, from += channels) {
    const level = numbers[from] as number;
    if (level > peak) peak = level;
    if (channels === 1) continue;
    if (numbers[from + 1] !== level || numbers[from + 2] !== level) return undefined;
    data[i] = level;
  }
  return { data, peak };
}

/**
 * Computes the level of each pixel, which is its luminance times alpha. `peak` is the largest channel times alpha. The
 * luminance of a mask in one colour may be small, so levels are scaled until the largest equals `peak`. In a lossy
 * format, the largest channel is the level.
 */
function levelsOf(image: Decoded, numbers: Uint8Array | Uint16Array): Levels & { peak: number } {
  const { channels, alpha, width, height, lossy } = image;
  const grey = greyChannel(numbers, channels);
  if (grey) return { ...grey, width, height, lossy };
  const white = numbers instanceof Uint8Array ? 255 : 65535;
  const colours = channels - (alpha ? 1 : 0);
  const opacity = (from: number) => (alpha ? (numbers[from + colours] as number) / white : 1);
  let [peak, brightest] = [0, 0];
  const luminance = (from: number) => {
    const red = numbers[from] as number;
    if (colours === 1) return red;
    const [green, blue] = [numbers[from + 1] as number, numbers[from + 2] as number];
    if (red === green && red === blue) return red;
    if (lossy) return Math.max(red, green, blue); // JPEG stores colours coarsely, so they bleed into dark pixels.
    return LUMINANCE[0] * red + LUMINANCE[1] * green + LUMINANCE[2] * blue;
  };
  for (let from = 0; from < numbers.length; from += channels) {
    const shown = opacity(from);
    brightest = Math.max(brightest, luminance(from) * shown);
    for (let channel = 0; channel < colours; channel++) {
      peak = Math.max(peak, (numbers[from + channel] as number) * shown);
    }
  }
  const data = numbers instanceof Uint8Array ? new Uint8Array(width * height) : new Uint16Array(width * height);
  const scale = brightest === 0 ? 1 : peak / brightest;
  for (let i = 0, from = 0; i < data.length; i++, from += channels) {
    const level = luminance(from) * opacity(from) * scale;
    data[i] = level > 0 ? Math.max(1, Math.round(level)) : 0; // A marked pixel must not become 0 by rounding.
  }
  return { data, width, height, lossy, peak };
}

/** Returns the colour of the first pixel of a level, 0 to 255 per channel. */
function colourOf(image: Decoded, numbers: Uint8Array | Uint16Array, { data }: Levels, level: number): number[] {
  const at = data.indexOf(level) * image.channels;
  const colours = image.channels - (image.alpha ? 1 : 0);
  const white = numbers instanceof Uint8Array ? 255 : 65535;
  if (level === 0) return [0];
  return Array.from({ length: colours }, (_, i) => Math.round(((numbers[at + i] as number) * 255) / white));
}

const isColour = (colour: readonly number[]) => Math.max(...colour) - Math.min(...colour) > GREY_SPREAD;
const hexOf = (colour: readonly number[]) => `#${colour.map((value) => value.toString(16).padStart(2, '0')).join('')}`;

/** Lists levels for an error, as numbers or, if one of them is a colour, as hexadecimal colours. */
function describeLevels(levels: readonly number[], colours: readonly number[][]): string {
  const names = colours.some(isColour)
    ? colours.map((colour) => hexOf(colour.length === 1 ? [0, 0, 0].map(() => colour[0] as number) : colour))
    : levels.map(String);
  const shown = names.slice(0, MAX_LISTED);
  const last = names.length > MAX_LISTED ? `${names.length - MAX_LISTED} more` : shown.pop();
  return `${shown.join(', ')} and ${last}`;
}

/** Returns true for samples that are already those of a mask, so that nothing is left to decide. */
function isBinary(image: Decoded): image is Decoded & { data: Uint8Array } {
  const { channels, data } = image;
  if (channels !== 1 || !(data instanceof Uint8Array)) return false;
  for (let i = 0; i < data.length; i++) if (data[i] !== 0 && data[i] !== 255) return false;
  return true;
}

async function readStoredMask(source: ImageSource): Promise<StoredMask> {
  const label = labelOf(source);
  const image = await decodeImage(source);
  if (isBinary(image)) {
    const { width, height, orientation } = image;
    const mask = { data: image.data, width, height, channels: 1 as const };
    return { source, mask, width, height, orientation };
  }
  const numbers = integersOf(image);
  const { peak, ...levels } = levelsOf(image, numbers);
  const { width, height, orientation } = image;
  const found = thresholdOf(levels, peak);
  const colours = (of: readonly number[]) => of.map((level) => colourOf(image, numbers, levels, level));
  if ('plateaus' in found) {
    const { plateaus } = found;
    throw new DatasetError(
      `The mask ${label} has the levels ${describeLevels(plateaus, colours(plateaus))}: it must have two, such as 0 (no defect) and 255 (defect), apart from soft edges`,
    );
  }
  const data = new Uint8Array(width * height);
  let [lowest, isEmpty] = [Number.POSITIVE_INFINITY, true];
  const { data: samples } = levels;
  const { threshold } = found;
  for (let i = 0; i < data.length; i++) {
    const level = samples[i] as number;
    if (level < lowest) lowest = level;
    if (level < threshold) continue;
    data[i] = 255;
    isEmpty = false;
  }
  const [off] = colours([lowest]) as [number[]];
  if (!isEmpty && lowest < threshold && isColour(off)) {
    throw new DatasetError(
      `The mask ${label} is coloured: ${hexOf(off)} is not a background. Save it as 0 (no defect) and 255 (defect)`,
    );
  }
  if (isEmpty && image.alpha && numbers.some((value, i) => value > 0 && i % image.channels < image.channels - 1)) {
    throw new DatasetError(
      `The mask ${label} has transparency, and is black wherever it is opaque: save it without transparency`,
    );
  }
  const mask = { data, width, height, channels: 1 as const };
  return { source, mask, width, height, orientation };
}

/**
 * Reads a mask as one channel of 0 and 255, with its EXIF orientation applied.
 * Throws ERR_DATASET_INVALID with the file.
 */
export async function readMask(source: ImageSource): Promise<RawImage> {
  const { mask, orientation } = await readStoredMask(source);
  return new RawImage(turned(mask, orientation));
}

/** Returns true if the mask marks its whole border but not every pixel. The defect may then be black on white. */
export function looksInverted({ data, width, height }: PixelData): boolean {
  const isMarked = (x: number, y: number) => data[y * width + x] === 255;
  for (let x = 0; x < width; x++) if (!isMarked(x, 0) || !isMarked(x, height - 1)) return false;
  for (let y = 0; y < height; y++) if (!isMarked(0, y) || !isMarked(width - 1, y)) return false;
  return data.includes(0);
}

const sizeOf = ({ width, height }: { width: number; height: number }) => `${width} x ${height}`;

/**
 * Reads the mask of an image whose EXIF orientation was applied. Some programs apply the orientation before they draw
 * the mask, and others do not. The mask's own orientation or its size shows which is the case. `what` names the mask in
 * errors.
 * Throws ERR_DATASET_INVALID if this remains unclear, or if the sizes differ.
 */
export async function readMaskOf(image: Stored, source: ImageSource, what = 'mask'): Promise<RawImage> {
  const stored = await readStoredMask(source);
  const [imageLabel, label] = [labelOf(image.source), labelOf(source)];
  const { mask, orientation: own } = stored;
  const shown = sizeOf(turnedSize(image, image.orientation));
  const fits = (orientation: number) => sizeOf(turnedSize(stored, orientation)) === shown;
  // A mask without an orientation, or with an outdated one, may have the orientation of the stored image.
  const other = own === 1 ? image.orientation : image.orientation === 1 ? 1 : own;
  const possible = [...new Set([own, other])].filter(fits);
  if (possible.length === 0) {
    throw new DatasetError(
      `The ${what} ${label} is ${sizeOf(turnedSize(stored, own))}, but its image ${imageLabel} is ${shown}`,
    );
  }
  if (possible.length > 1) {
    const [turnedFile, plain] = own === 1 ? [imageLabel, label] : [label, imageLabel];
    throw new DatasetError(
      `${turnedFile} has EXIF orientation ${own === 1 ? image.orientation : own} and ${plain} has none, so image and ${what} may not match: rotate the pixels and remove the orientation from the file`,
    );
  }
  if (what === 'mask' && looksInverted(mask)) {
    warn(`The mask ${label} marks the whole border of its image. Defects must be white, so it may be inverted.`);
  }
  return new RawImage(turned(mask, possible[0] as number));
}

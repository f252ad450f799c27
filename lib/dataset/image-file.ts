/** Reads and writes images. docs/images.md describes how each format is read. */
import type { Sharp } from 'sharp';
import { DatasetError, InvalidOptionError } from '../core/errors.js';
import { type Channels, firstChannel, isGrey, type PixelData, RawImage, repeatGrey } from '../core/image.js';
import { warn } from '../core/warnings.js';
import { bitDepthOf } from './bit-depth.js';
import { type Decoded, decodeImage } from './decode.js';
import {
  EXPECTED_IMAGE,
  groupLabelOf,
  ImageInMemory,
  type ImageInput,
  type ImageSource,
  isImageInput,
  labelOf,
} from './image-source.js';
import { turned } from './orientation.js';

/** Floats may exceed the range 0 to 1 by this much, because of rounding. */
const TOLERANCE = 1e-4;

/** The size and orientation of an image in its file. The mask of the image may need them. */
export interface Stored {
  source: ImageSource;
  /** Pixels, before the EXIF orientation is applied. */
  width: number;
  height: number;
  /** EXIF orientation, 1 to 8. */
  orientation: number;
}

/** Returns the smallest and the largest number. Returns undefined if a number is not finite. */
function rangeOf(data: Float32Array): [number, number] | undefined {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of data) {
    if (!Number.isFinite(value)) return undefined;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Throws ERR_DATASET_INVALID for floats outside 0 to 1, because the file does not state which value is white. */
export function requireUnitFloats(source: ImageSource, data: Float32Array): void {
  const range = rangeOf(data);
  if (!range) throw new DatasetError(`${labelOf(source)} has floats that are not finite (NaN or infinite)`);
  const [low, high] = range;
  if (low >= -TOLERANCE && high <= 1 + TOLERANCE) return;
  throw new DatasetError(
    `${labelOf(source)} has floats from ${low} to ${high}: expected 0 (black) to 1 (white), so scale them`,
  );
}

/** Converts samples to 8 bits. The channels stay the same. */
async function toBytes(image: Decoded): Promise<Uint8Array> {
  const { source, data, channels, alpha } = image;
  if (data instanceof Uint8Array) return data;
  if (data instanceof Float32Array) {
    requireUnitFloats(source, data);
    return Uint8Array.from(data, (value) => Math.round(255 * Math.min(Math.max(value, 0), 1)));
  }
  const bits = await bitDepthOf(image);
  const bytes = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const isAlpha = alpha && i % channels === channels - 1;
    bytes[i] = (data[i] as number) >> (isAlpha ? 8 : bits - 8);
  }
  return bytes;
}

/**
 * Converts pixels to RGB. Transparent pixels show `background`, or the colour that is stored for them if it is not
 * given.
 */
function toRgb(source: ImageSource, bytes: Uint8Array, channels: number, background: number | undefined): Uint8Array {
  if (channels === 3) return bytes;
  if (channels === 1) return repeatGrey(bytes);
  const hasAlpha = channels % 2 === 0;
  const colours = channels - (hasAlpha ? 1 : 0);
  const rgb = new Uint8Array((3 * bytes.length) / channels);
  let isTransparent = false;
  for (let from = 0, to = 0; from < bytes.length; from += channels, to += 3) {
    const alpha = hasAlpha ? (bytes[from + colours] as number) / 255 : 1;
    if (alpha < 1) isTransparent = true;
    for (let channel = 0; channel < 3; channel++) {
      const value = bytes[from + (colours === 3 ? channel : 0)] as number;
      rgb[to + channel] =
        alpha === 1 || background === undefined ? value : Math.round(value * alpha + background * (1 - alpha));
    }
  }
  if (isTransparent && background === undefined) {
    warn(
      `${labelOf(source)} has transparent pixels. They are read with the colours that the file stores for them, as in all images of ${groupLabelOf(source)}.`,
      `transparent ${groupLabelOf(source)}`,
    );
  }
  return rgb;
}

/** Reads an image as RGB with its EXIF orientation applied. Also returns its size and orientation in the file. */
export async function readStored(
  source: ImageSource,
  background?: number,
): Promise<{ image: RawImage; stored: Stored }> {
  return rgbOf(await decodeImage(source), background);
}

/** Converts decoded samples as `readStored` does. */
export async function rgbOf(decoded: Decoded, background?: number): Promise<{ image: RawImage; stored: Stored }> {
  const { source, width, height, channels, orientation } = decoded;
  const bytes = await toBytes(decoded);
  const image = { data: toRgb(source, bytes, channels, background), width, height, channels: 3 as const };
  return { image: new RawImage(turned(image, orientation)), stored: { source, width, height, orientation } };
}

/**
 * Reads an image as RGB from a path, from the bytes of a file, or from pixels. The EXIF orientation is applied, and a
 * grey channel is repeated. Transparent pixels show the grey value `blank`, 0 to 255. Without it, they show the colour
 * that the file stores for them. Throws ERR_INVALID_OPTION for any other input, ERR_FILE_ACCESS, and
 * ERR_DATASET_INVALID with the file and the reason.
 */
export async function readImage(
  image: ImageInput | ImageSource,
  { blank }: { blank?: number } = {},
): Promise<RawImage> {
  const isKnown = image instanceof ImageInMemory;
  if (!isKnown && !isImageInput(image)) {
    throw new InvalidOptionError(`Expected ${EXPECTED_IMAGE} but received ${String(image)} of type ${typeof image}`);
  }
  const isSource = isKnown || typeof image === 'string';
  const source = isSource ? image : new ImageInMemory('the image in memory', 'image', image);
  return (await readStored(source, blank)).image;
}

/**
 * Encodes an image as PNG, which is grey if the image has one channel. Throws ERR_INVALID_OPTION if the number of bytes
 * does not match the size.
 */
export const encodePng = (image: PixelData): Promise<Buffer> => compressPng(image, 6);

/** Encodes an image as `encodePng` does, with zlib's level of compression, 0 to 9. */
export async function compressPng(image: PixelData, compressionLevel: number): Promise<Buffer> {
  return new RawImage(image).toSharp().png({ compressionLevel }).toBuffer();
}

/** The kernel that resizes images: `linear` (bilinear) as in the published code, or `lanczos3`, which is sharper. */
export type Kernel = 'linear' | 'lanczos3';

/** Starts a sharp pipeline that resizes an image to exactly width x height. */
export function resizing(image: PixelData, width: number, height: number, kernel: Kernel = 'linear'): Sharp {
  const pipeline = (image instanceof RawImage ? image : new RawImage(image)).toSharp();
  if (image.width === width && image.height === height) return pipeline;
  return pipeline.resize({ width, height, fit: 'fill', kernel });
}

/** Resizes an image to exactly width x height. */
export async function resizeImage(
  image: PixelData,
  width: number,
  height: number,
  kernel: Kernel = 'linear',
): Promise<RawImage> {
  if (image.width === width && image.height === height) return image instanceof RawImage ? image : new RawImage(image);
  const { data: samples, channels } = image;
  if (channels === 3 && width * height > image.width * image.height && isGrey(samples)) {
    // Enlarging takes time for each channel. A channel alone becomes the same as beside others.
    const grey = await resizeImage({ ...image, data: firstChannel(samples), channels: 1 }, width, height, kernel);
    return new RawImage({ data: repeatGrey(grey.data), width, height, channels });
  }
  const { data, info } = await resizing(image, width, height, kernel).raw().toBuffer({ resolveWithObject: true });
  return new RawImage({ data: new Uint8Array(data), width, height, channels: info.channels as Channels });
}

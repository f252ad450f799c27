/** The reader of images. What each format gives is in docs/images.md. */
import { DatasetError, InvalidOptionError } from '../core/errors.js';
import { type Channels, type PixelData, RawImage } from '../core/image.js';
import { warn } from '../core/warnings.js';
import { bitDepthOf } from './bit-depth.js';
import { type Decoded, decodeImage, turned } from './decode.js';
import {
  EXPECTED_IMAGE,
  groupLabelOf,
  ImageInMemory,
  type ImageInput,
  type ImageSource,
  isImageInput,
  labelOf,
} from './image-source.js';

/** What is out of 0 to 1 by no more than this is rounding. */
const TOLERANCE = 1e-4;

/** How an image lies in its file, for a mask that goes with it. */
export interface Stored {
  source: ImageSource;
  /** Before it is turned. */
  width: number;
  height: number;
  /** EXIF orientation, 1 to 8. */
  orientation: number;
}

/** Smallest and largest number, `undefined` where one of them is not finite. */
function rangeOf(data: Float32Array): [number, number] | undefined {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of data) {
    if (!Number.isFinite(value)) return undefined;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Throws ERR_DATASET_INVALID for floats out of 0 to 1: nothing says which of them is white. */
export function refuseOtherFloats(source: ImageSource, data: Float32Array): void {
  const range = rangeOf(data);
  if (!range) throw new DatasetError(`${labelOf(source)} has floats that are not finite (NaN or infinite)`);
  const [low, high] = range;
  if (low >= -TOLERANCE && high <= 1 + TOLERANCE) return;
  throw new DatasetError(
    `${labelOf(source)} has floats from ${low} to ${high}: expected 0 (black) to 1 (white), so scale them`,
  );
}

/** Samples as 8 bits, in the file's channels, or in RGB where its profile says how. */
async function toBytes(image: Decoded): Promise<{ bytes: Uint8Array; channels: number }> {
  const { source, data, channels, alpha, byProfile } = image;
  if (data instanceof Uint8Array) return { bytes: data, channels };
  if (data instanceof Float32Array) {
    refuseOtherFloats(source, data);
    return { bytes: Uint8Array.from(data, (value) => Math.round(255 * Math.min(Math.max(value, 0), 1))), channels };
  }
  const bits = await bitDepthOf(image);
  if (byProfile && bits === 16) return { bytes: await byProfile(), channels: alpha ? 4 : 3 };
  const bytes = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const isAlpha = alpha && i % channels === channels - 1;
    bytes[i] = (data[i] as number) >> (isAlpha ? 8 : bits - 8);
  }
  return { bytes, channels };
}

/** RGB; grey is repeated. What is transparent shows `blank`, or its stored colour where there is none. */
function toRgb(source: ImageSource, bytes: Uint8Array, channels: number, blank: number | undefined): Uint8Array {
  if (channels === 3) return bytes;
  const hasAlpha = channels % 2 === 0;
  const colours = channels - (hasAlpha ? 1 : 0);
  const rgb = new Uint8Array((3 * bytes.length) / channels);
  let isTransparent = false;
  for (let from = 0, to = 0; from < bytes.length; from += channels, to += 3) {
    const alpha = hasAlpha ? (bytes[from + colours] as number) / 255 : 1;
    if (alpha < 1) isTransparent = true;
    for (let channel = 0; channel < 3; channel++) {
      const value = bytes[from + (colours === 3 ? channel : 0)] as number;
      rgb[to + channel] = alpha === 1 || blank === undefined ? value : Math.round(value * alpha + blank * (1 - alpha));
    }
  }
  if (isTransparent && blank === undefined) {
    warn(
      `${labelOf(source)} has transparent pixels: they are read with the colours stored for them, and so are others of ${groupLabelOf(source)}.`,
      `transparent ${groupLabelOf(source)}`,
    );
  }
  return rgb;
}

/** An image as RGB, turned as its EXIF orientation says, and how it lies in its file. */
export async function readStored(source: ImageSource, blank?: number): Promise<{ image: RawImage; stored: Stored }> {
  const decoded = await decodeImage(source);
  const { width, height, orientation } = decoded;
  const { bytes, channels } = await toBytes(decoded);
  const image = { data: toRgb(source, bytes, channels, blank), width, height, channels: 3 as const };
  return { image: new RawImage(turned(image, orientation)), stored: { source, width, height, orientation } };
}

/**
 * An image as RGB: of a file's path, of a file's bytes, or of pixels. It is turned as its EXIF orientation says; grey is
 * repeated. Transparent pixels show `blank`, 0 to 255, or the colour stored for them where it is not given.
 * Throws ERR_INVALID_OPTION for what is none of these, ERR_FILE_ACCESS, and ERR_DATASET_INVALID naming the file and what is
 * wrong with it.
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

/** A PNG file's bytes; grey for an image of one channel. Throws ERR_INVALID_OPTION where sizes and bytes disagree. */
export async function encodePng(image: PixelData): Promise<Buffer> {
  return new RawImage(image).toSharp().png().toBuffer();
}

/** How pixels are weighted where an image is resized: bilinear, as the published code does it, or sharp (Lanczos). */
export type Kernel = 'linear' | 'lanczos3';

/** Resized to exactly width x height. */
export async function resizeImage(
  image: PixelData,
  width: number,
  height: number,
  kernel: Kernel = 'linear',
): Promise<RawImage> {
  const raw = image instanceof RawImage ? image : new RawImage(image);
  if (image.width === width && image.height === height) return raw;
  const { data, info } = await raw
    .toSharp()
    .resize({ width, height, fit: 'fill', kernel })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return new RawImage({ data: new Uint8Array(data), width, height, channels: info.channels as Channels });
}

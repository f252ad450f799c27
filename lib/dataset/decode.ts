/**
 * Decodes files to samples with sharp or the BMP decoder. Images and masks are made from these samples
 * (docs/images.md).
 */
import { readFile } from 'node:fs/promises';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { DatasetError, DualAnoDiffError, withFileErrors } from '../core/errors.js';
import { type Channels, checkPixels, type PixelData } from '../core/image.js';
import { bmpSize, decodeBmp, isBmp } from './bmp.js';
import { contentOf, type ImageSource, labelOf } from './image-source.js';
import { isWhiteZero, tiffSamples } from './tiff-samples.js';

/** The largest number of pixels that an image may have. */
const MAX_PIXELS = 2 ** 28;

const FORMATS = ['png', 'jpeg', 'tiff', 'webp', 'gif', 'heif'];
const FLOAT_DEPTHS = ['float', 'double'];
const DEPTHS: Record<string, string> = {
  char: 'signed 8-bit integers',
  short: 'signed 16-bit integers',
  uint: '32-bit integers',
  int: 'signed 32-bit integers',
  complex: 'complex numbers',
  dpcomplex: 'complex numbers',
};

/**
 * The samples of an image as the file stores them: channels are interleaved, and the EXIF orientation is not applied.
 */
export interface Decoded {
  source: ImageSource;
  data: Uint8Array | Uint16Array | Float32Array;
  width: number;
  height: number;
  /** 1 (grey) or 3 (RGB), plus one for `alpha`. */
  channels: number;
  alpha: boolean;
  /** EXIF orientation, 1 to 8. */
  orientation: number;
  /** True if compression may have changed the samples. */
  lossy: boolean;
}

/** Returns the line of sharp's message that explains the failure. */
function reasonOf(cause: unknown): string {
  const lines = (cause instanceof Error ? cause.message : String(cause)).split('\n').map((line) => line.trim());
  const reason = lines.find((line) => line !== '' && !line.startsWith('source: bad seek')) ?? 'unknown error';
  return reason.replace('Input buffer', 'it').replace('Input image', 'the image');
}

/** Runs a decoder. Throws ERR_DATASET_INVALID with the image's name if it fails. */
async function withImageErrors<T>(label: string, bytes: Buffer, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof DualAnoDiffError) throw cause;
    const samples = tiffSamples(bytes);
    const what = samples === undefined ? '' : ` (a TIFF of ${samples})`;
    throw new DatasetError(`${label} is not a readable image${what}: ${reasonOf(cause)}`, { cause });
  }
}

/** Throws ERR_DATASET_INVALID for images that sharp would read only in part, or with wrong values. */
function refuseUnsupported(label: string, metadata: Metadata, bytes: Buffer): void {
  const { format, pages = 1, depth, space, channels, hasAlpha, width, height } = metadata;
  const refuse = (what: string) => {
    throw new DatasetError(`${label} ${what}`);
  };
  if (!FORMATS.includes(format)) refuse(`is ${format.toUpperCase()}, which is not supported: save it as PNG`);
  if (width * height > MAX_PIXELS) {
    refuse(`claims ${width} x ${height} pixels, more than the limit of ${MAX_PIXELS}`);
  }
  const isAnimated = format === 'png' && bytes.subarray(0, 4096).includes('acTL');
  if (pages > 1 || isAnimated) {
    refuse(`holds ${isAnimated ? 'several' : pages} pages or frames: save each in its own file`);
  }
  if (depth in DEPTHS) refuse(`holds ${DEPTHS[depth]}: save it with 8 or 16 bits, or as floats from 0 to 1`);
  if (FLOAT_DEPTHS.includes(depth) && space === 'grey16')
    refuse('holds grey 16-bit floats: save it with 32-bit floats');
  if (FLOAT_DEPTHS.includes(depth) && isWhiteZero(bytes))
    refuse('holds floats of which 0 is white: save it with 0 as black');
  const colours = channels - (hasAlpha ? 1 : 0);
  const isGrey = space === 'b-w' || space === 'grey16';
  const isCmyk = space === 'cmyk';
  if (colours !== (isGrey ? 1 : isCmyk ? 4 : 3)) {
    refuse(`has ${channels} channels: expected grey, RGB or CMYK, with or without alpha`);
  }
  if (isCmyk && depth !== 'uchar') refuse('is CMYK of more than 8 bits: save it as RGB');
}

/** Views the bytes of a buffer as numbers. The bytes are copied only if they are not aligned. */
function numbersOf<T>(
  Numbers: { new (buffer: ArrayBufferLike, offset: number, length: number): T; BYTES_PER_ELEMENT: number },
  bytes: Buffer,
): T {
  const { BYTES_PER_ELEMENT: size } = Numbers;
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new Numbers(buffer, byteOffset, byteLength / size);
}

/** Returns true if the compression of a format changes samples. */
const isLossy = (format: string, bytes: Buffer): boolean =>
  format === 'jpeg' || format === 'heif' || (format === 'webp' && !bytes.subarray(0, 4096).includes('VP8L'));

/** Reads the header of a file. Throws ERR_DATASET_INVALID for images that are not supported. */
async function headerOf(source: ImageSource, bytes: Buffer): Promise<Metadata> {
  const metadata = await sharp(bytes, { failOn: 'error', limitInputPixels: false }).metadata();
  refuseUnsupported(labelOf(source), metadata, bytes);
  return metadata;
}

/**
 * Opens a file for decoding. Stored numbers are taken as they are, as PIL and OpenCV take them, so that other programs see
 * images and pairs alike. The numbers of CMYK are no RGB, so they alone are converted by the colour profile.
 */
const openBySharp = (bytes: Buffer, { space }: Metadata): Sharp =>
  sharp(bytes, { failOn: 'error', limitInputPixels: MAX_PIXELS, ignoreIcc: space !== 'cmyk' });

async function decodeBySharp(source: ImageSource, bytes: Buffer): Promise<Decoded> {
  const metadata = await headerOf(source, bytes);
  const { depth, space, format, channels: stored, hasAlpha: alpha, orientation = 1 } = metadata;
  const common = { source, alpha, orientation, lossy: isLossy(format, bytes) };
  const is8Bit = depth === 'uchar';
  const isFloat = FLOAT_DEPTHS.includes(depth);
  const { data, info } = await openBySharp(bytes, metadata)
    .toColourspace(is8Bit ? (stored === 1 ? 'b-w' : 'srgb') : space)
    .raw({ depth: is8Bit ? 'uchar' : isFloat ? 'float' : 'ushort' })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (!is8Bit && channels !== stored) {
    throw new DatasetError(
      `${labelOf(source)} has ${stored} channels of ${depth} samples, which are not supported: save it as PNG`,
    );
  }
  const numbers = is8Bit
    ? numbersOf(Uint8Array, data)
    : isFloat
      ? numbersOf(Float32Array, data)
      : numbersOf(Uint16Array, data);
  return { ...common, data: numbers, width, height, channels };
}

/** Returns pixels in the form of a decoded image. */
function samplesOf(source: ImageSource, image: PixelData): Decoded {
  checkPixels(image);
  const { data, width, height, channels } = image;
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data); // Callers may pass a Uint8ClampedArray.
  return { source, data: bytes, width, height, channels, alpha: false, orientation: 1, lossy: false };
}

async function bytesOrPixels(source: ImageSource): Promise<Buffer | PixelData> {
  if (typeof source === 'string') return withFileErrors('read', source, () => readFile(source));
  const content = await contentOf(source);
  return 'channels' in content ? content : Buffer.from(content.buffer, content.byteOffset, content.byteLength);
}

/** Returns the ending of a file's name that suits the content of an image. */
export async function imageEnding(source: ImageSource): Promise<string> {
  const content = await bytesOrPixels(source);
  if (!Buffer.isBuffer(content)) return '.png';
  if (isBmp(content)) return '.bmp';
  const { format } = await withImageErrors(labelOf(source), content, () => sharp(content).metadata());
  return format === 'jpeg' ? '.jpg' : format === 'heif' ? '.avif' : `.${format}`;
}

/**
 * Reads the size and the EXIF orientation of an image without its pixels. The size is that before the orientation is
 * applied. Throws ERR_FILE_ACCESS, and ERR_DATASET_INVALID if the file is not an image.
 */
export async function readSize(source: ImageSource): Promise<{ width: number; height: number; orientation: number }> {
  const content = await bytesOrPixels(source);
  if (!Buffer.isBuffer(content)) return { width: content.width, height: content.height, orientation: 1 };
  return withImageErrors(labelOf(source), content, async () => {
    if (isBmp(content)) return { ...bmpSize(content), orientation: 1 };
    const { width, height, orientation = 1 } = await sharp(content, { limitInputPixels: false }).metadata();
    if (width * height <= MAX_PIXELS) return { width, height, orientation };
    throw new Error(`it claims ${width} x ${height} pixels, more than the limit of ${MAX_PIXELS}`);
  });
}

/**
 * Decodes an image. The content of a file decides its format, and its name does not. Throws ERR_FILE_ACCESS if the file
 * cannot be read. Throws ERR_DATASET_INVALID if it is damaged, cut off or not supported.
 */
export async function decodeImage(source: ImageSource): Promise<Decoded> {
  const content = await bytesOrPixels(source);
  if (!Buffer.isBuffer(content)) return samplesOf(source, content);
  const bytes = content;
  return withImageErrors(labelOf(source), bytes, () => {
    if (bytes.length === 0) throw new Error('it is empty');
    if (!isBmp(bytes)) return decodeBySharp(source, bytes);
    const bitmap = decodeBmp(bytes, MAX_PIXELS);
    return { source, ...bitmap, alpha: bitmap.channels === 4, orientation: 1, lossy: false };
  });
}

/** The pixels along each side of a shrunk image. */
export const SHRUNK_SIDE = 32;

/** A small picture of an image that was read to its end. */
export interface Shrunk {
  /** The samples of the picture, 1 (grey) or 3 (RGB) channels, without the EXIF orientation. */
  picture: PixelData;
  /** The size of the image in pixels, before the EXIF orientation is applied. */
  width: number;
  height: number;
  /** EXIF orientation, 1 to 8. */
  orientation: number;
}

/**
 * Reads an image to its end, so that damage shows, and shrinks it to a square of `SHRUNK_SIDE` pixels on the way. This takes less
 * time and memory than `decodeImage` and throws the same errors. Returns undefined for pixels in memory and for files that
 * only `decodeImage` can judge: BMP, transparent images, and samples of other than 8 bits.
 */
export async function decodeShrunk(source: ImageSource): Promise<Shrunk | undefined> {
  const bytes = await bytesOrPixels(source);
  if (!Buffer.isBuffer(bytes) || bytes.length === 0 || isBmp(bytes)) return undefined;
  return withImageErrors(labelOf(source), bytes, async () => {
    const metadata = await headerOf(source, bytes);
    const { depth, hasAlpha, channels: stored, width, height, orientation = 1 } = metadata;
    if (depth !== 'uchar' || hasAlpha) return undefined;
    const { data, info } = await openBySharp(bytes, metadata)
      .resize({ width: SHRUNK_SIDE, height: SHRUNK_SIDE, fit: 'fill', kernel: 'linear' })
      .toColourspace(stored === 1 ? 'b-w' : 'srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const size = { width: SHRUNK_SIDE, height: SHRUNK_SIDE, channels: info.channels as Channels };
    return { picture: { data: numbersOf(Uint8Array, data), ...size }, width, height, orientation };
  });
}

import { readFile } from 'node:fs/promises';
import { decode as decodeBmp } from 'bmp-ts';
import sharp, { type Sharp } from 'sharp';
import { DatasetError, withFileErrors } from '../errors.js';
import type { RawImage } from '../image.js';

/** Endings of the files that count as images. */
export const IMAGE_ENDINGS = /\.(png|jpe?g|bmp|tiff?)$/i;

/** BMP, which sharp does not read, as sharp's raw input. */
function openBmp(bytes: Buffer): Sharp {
  const { data, width, height } = decodeBmp(bytes, { toRGBA: true });
  return sharp(data, { raw: { width, height, channels: 4 } });
}

async function open(path: string): Promise<Sharp> {
  const bytes = await withFileErrors('read', path, () => readFile(path));
  const isBmp = bytes[0] === 0x42 && bytes[1] === 0x4d;
  return (isBmp ? openBmp(bytes) : sharp(bytes, { failOn: 'error' })).autoOrient();
}

async function decode(path: string, prepare: (image: Sharp) => Sharp): Promise<RawImage> {
  try {
    const { data, info } = await prepare(await open(path))
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { data: new Uint8Array(data), width: info.width, height: info.height, channels: info.channels };
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause) throw cause;
    throw new DatasetError(`${path} is not a readable image: ${(cause as Error).message.split('\n')[0]}`, { cause });
  }
}

/** An image as RGB, turned as its EXIF orientation says; grey is repeated, transparency is dropped. */
export function readImage(path: string): Promise<RawImage> {
  return decode(path, (image) => image.removeAlpha().toColourspace('srgb'));
}

/** A mask as one channel, turned as its EXIF orientation says. */
export async function readMask(path: string): Promise<RawImage> {
  const mask = await decode(path, (image) => image.removeAlpha().toColourspace('b-w'));
  if (mask.channels === 1) return mask;
  const data = mask.data.filter((_, i) => i % mask.channels === 0);
  return { ...mask, data, channels: 1 };
}

/** A PNG file's bytes. */
export function encodePng({ data, width, height, channels }: RawImage): Promise<Buffer> {
  const raw = sharp(data, { raw: { width, height, channels: channels as 1 | 3 } });
  return (channels === 1 ? raw.toColourspace('b-w') : raw).png().toBuffer();
}

/** How pixels are weighted where an image is resized: bilinear, as the published code does it, or sharp (Lanczos). */
export type Kernel = 'linear' | 'lanczos3';

/** Resized to exactly width x height. */
export async function resizeImage(
  image: RawImage,
  width: number,
  height: number,
  kernel: Kernel = 'linear',
): Promise<RawImage> {
  if (image.width === width && image.height === height) return image;
  const raw = sharp(image.data, {
    raw: { width: image.width, height: image.height, channels: image.channels as 1 | 3 },
  });
  const resized = raw.resize({ width, height, fit: 'fill', kernel });
  const data = await (image.channels === 1 ? resized.toColourspace('b-w') : resized).raw().toBuffer();
  return { data: new Uint8Array(data), width, height, channels: image.channels };
}

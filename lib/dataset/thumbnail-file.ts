/** Reads and writes the small pictures of reports. */
import sharp from 'sharp';
import { type PixelData, RawImage } from '../core/image.js';
import { type Size, shrunkSize } from './cut.js';
import { resizeImage, resizing } from './image-file.js';

/** The longer side of a thumbnail has at most this number of pixels. */
export const LONGEST = 160;
/** A thumbnail has at most this number of bytes, so that the four of each of 1,000 pairs have less than 20 MB. */
const MOST_BYTES = 4600;
/** The quality of WebP, 1 to 100. */
const QUALITY = 65;

/** Shrinks an image to at most `longest` pixels along its longer side. */
export function shrunk(image: PixelData, longest: number = LONGEST): Promise<RawImage> {
  const { width, height } = shrunkSize(image, longest);
  return resizeImage(image, width, height);
}

/**
 * Encodes an image as a thumbnail. Noise compresses badly, so a picture of it gets fewer pixels, until its file is small
 * enough.
 */
export async function encodeThumbnail(image: PixelData): Promise<Size & { bytes: Buffer }> {
  for (let most = LONGEST; ; ) {
    const { width, height } = shrunkSize(image, most);
    // One pipeline resizes and encodes, because each costs time of its own.
    const bytes = await resizing(image, width, height).webp({ quality: QUALITY, effort: 0 }).toBuffer();
    const longest = Math.max(width, height);
    if (bytes.length <= MOST_BYTES || longest === 1) return { bytes, width, height };
    const fitting = longest * Math.sqrt(MOST_BYTES / bytes.length); // The bytes of noise grow with its pixels.
    most = Math.max(Math.floor(Math.min(fitting, 0.97 * longest)), 1);
  }
}

/** Encodes a small image with its own number of pixels. */
export const encodePreview = (image: PixelData): Promise<Buffer> =>
  new RawImage(image).toSharp().webp({ quality: 80, effort: 2 }).toBuffer();

/** Returns the size of a picture in a file, or undefined if the file does not exist or is damaged. */
export async function pictureSize(path: string): Promise<Size | undefined> {
  try {
    const { width, height } = await sharp(path).metadata();
    return { width, height };
  } catch {
    return undefined;
  }
}

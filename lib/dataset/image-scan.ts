/** Reads images to their ends and keeps only what is known about them, for work that needs no pixels. */
import { isGrey, RawImage } from '../core/image.js';
import { bitDepthOf } from './bit-depth.js';
import { decodeImage, decodeShrunk, SHRUNK_SIDE } from './decode.js';
import { resizeImage, rgbOf, type Stored } from './image-file.js';
import type { ImageSource } from './image-source.js';
import { turned } from './orientation.js';

/** What is known about an image that was read to its end. */
export interface ScannedImage {
  stored: Stored;
  /** The samples of the file, such as `8-bit grey`. An image whose small picture has no colour counts as grey. */
  depth: string;
  /** The whole image, shrunk to a square of `SHRUNK_SIDE` pixels, with its EXIF orientation applied. */
  picture: RawImage;
}

const colourOf = ({ data, channels }: RawImage): string => (channels === 1 || isGrey(data) ? 'grey' : 'colour');

/**
 * Reads an image to its end. Throws ERR_FILE_ACCESS and ERR_DATASET_INVALID as `readImage` does, with the same messages.
 * Most images are shrunk while they are decoded.
 */
export async function scanImage(source: ImageSource): Promise<ScannedImage> {
  const shrunk = await decodeShrunk(source);
  if (shrunk) {
    const { width, height, orientation } = shrunk;
    const picture = new RawImage(turned(shrunk.picture, orientation));
    return { stored: { source, width, height, orientation }, depth: `8-bit ${colourOf(picture)}`, picture };
  }
  const decoded = await decodeImage(source);
  const { image, stored } = await rgbOf(decoded);
  const { data, alpha } = decoded;
  const bits =
    data instanceof Uint8Array ? '8-bit' : data instanceof Uint16Array ? `${await bitDepthOf(decoded)}-bit` : 'float';
  const picture = await resizeImage(image, SHRUNK_SIDE, SHRUNK_SIDE);
  return { stored, depth: `${bits} ${colourOf(picture)}${alpha ? ' with alpha' : ''}`, picture };
}

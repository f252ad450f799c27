/** Checks the masks that the page sends. */
import { InvalidOptionError } from '../core/errors.js';
import type { RawImage } from '../core/image.js';
import type { Size } from '../dataset/cut.js';
import { ImageInMemory } from '../dataset/image-source.js';
import { readMask } from '../dataset/mask-file.js';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** The header of a PNG file ends with this byte: signature, length and name of the first chunk, width and height. */
const HEADER_BYTES = 24;

/** Returns the size that a PNG file claims. Throws ERR_INVALID_OPTION for any other file. */
function sizeOfPng(bytes: Buffer): Size {
  const isPng =
    bytes.length >= HEADER_BYTES &&
    bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE) &&
    bytes.toString('latin1', 12, 16) === 'IHDR';
  if (!isPng) throw new InvalidOptionError('Expected a PNG file for the mask but received other data');
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

/**
 * Decodes a mask of 0 and 255 that belongs to an image of this size. The size in the header is checked first, so that no
 * file can claim more memory than the image has. Throws ERR_INVALID_OPTION for a file of another size or kind, and for a
 * mask that marks nothing. Throws ERR_DATASET_INVALID for a file that is damaged or has grey levels in between.
 */
export async function readCorrectedMask(bytes: Buffer, { width, height }: Size): Promise<RawImage> {
  const requireSize = (received: Size) => {
    if (received.width === width && received.height === height) return;
    throw new InvalidOptionError(
      `Expected ${width} x ${height} pixels for the mask but received ${received.width} x ${received.height}`,
    );
  };
  requireSize(sizeOfPng(bytes));
  const mask = await readMask(new ImageInMemory('that was sent', 'mask', bytes));
  requireSize(mask); // The file may be turned by an EXIF orientation.
  if (!mask.data.includes(255)) {
    throw new InvalidOptionError('Expected a mask that marks a pixel but received an empty one: drop the pair instead');
  }
  return mask;
}

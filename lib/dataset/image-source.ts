/** Images lie in files or in memory. The readers of images and masks take both, and errors name both. */
import { dirname } from 'node:path';
import { checkPixels, type PixelData } from '../core/image.js';
import { stemOf } from './folders.js';

/** Users give an image as a file's path, as the bytes of a file in any format that is read, or as pixels. */
export type ImageInput = string | Uint8Array | PixelData;

/** Messages say with these words which images are accepted. */
export const EXPECTED_IMAGE =
  'a path, an encoded image (Buffer or Uint8Array), or pixels { data, width, height, channels: 1 | 3 } with a byte for each channel';

export function isImageInput(value: unknown): value is ImageInput {
  if (typeof value === 'string') return value !== '';
  if (value instanceof Uint8Array) return value.buffer instanceof ArrayBuffer;
  try {
    checkPixels(value as PixelData);
    return true;
  } catch {
    return false;
  }
}

/** A group holds images of one camera, whose 16-bit samples are read with one range. */
export interface ImageGroup {
  /** Messages call the group so. */
  label: string;
  images: ImageInMemory[];
}

/** An image in memory has names of its own, because no path can name it. */
export class ImageInMemory {
  readonly group: ImageGroup;

  constructor(
    /** Messages call the image so: `crack[2].image`. */
    readonly label: string,
    /** This name serves in place of a file's name without its ending: `crack_002`. */
    readonly stem: string,
    readonly content: Uint8Array | PixelData,
    group?: ImageGroup,
  ) {
    this.group = group ?? { label, images: [this] };
  }
}

export type ImageSource = string | ImageInMemory;

/** Messages call a file by its path, and an image in memory by its place in the list that it was given in. */
export const labelOf = (source: ImageSource): string => (typeof source === 'string' ? source : source.label);

/** Returns a file's name without its ending in NFC, or the name that an image in memory has instead. */
export const nameOf = (source: ImageSource): string => (typeof source === 'string' ? stemOf(source) : source.stem);

/** Messages call the images around a file by its folder, and those around an image in memory by its dataset. */
export const groupLabelOf = (source: ImageSource): string =>
  typeof source === 'string' ? dirname(source) : source.group.label;

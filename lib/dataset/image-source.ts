/** The types of image sources, which are files or images in memory, and their names in messages. */
import { dirname } from 'node:path';
import { isPixels, type PixelData } from '../core/image.js';
import { stemOf } from './folders.js';

/** An image that a user passes: a path, an encoded image in any supported format, or pixels. */
export type ImageInput = string | Uint8Array | PixelData;

/** The description of an `ImageInput` in error messages. */
export const EXPECTED_IMAGE =
  'a path, an encoded image (Buffer or Uint8Array), or pixels { data, width, height, channels: 1 | 3 } with a byte for each channel';

/** Returns true for a path, for bytes that do not use shared memory, and for valid pixels. */
export function isImageInput(value: unknown): value is ImageInput {
  if (typeof value === 'string') return value !== '';
  if (value instanceof Uint8Array) return value.buffer instanceof ArrayBuffer;
  return isPixels(value);
}

/** A list of images that one camera has taken. Their 16-bit samples are read with one range. */
export interface ImageGroup {
  /** The name of the group in messages. */
  label: string;
  images: ImageInMemory[];
}

/** Makes the bytes or the pixels of an image whenever they are needed, so that memory does not hold them. */
export type ImageMaker = () => Promise<Uint8Array | PixelData>;

/** An image in memory, or one that is made when it is read, such as a mask that is drawn from polygons. */
export class ImageInMemory {
  readonly group: ImageGroup;

  constructor(
    /** The name of the image in messages, such as `crack[2].image`. */
    readonly label: string,
    /** The name that replaces a file's name without its ending. */
    readonly stem: string,
    readonly content: Uint8Array | PixelData | ImageMaker,
    group?: ImageGroup,
    /** The file that holds the image among other things, if there is one. */
    readonly file?: string,
  ) {
    this.group = group ?? { label, images: [this] };
  }
}

export type ImageSource = string | ImageInMemory;

/** Returns the bytes or the pixels of an image in memory. */
export const contentOf = async ({ content }: ImageInMemory): Promise<Uint8Array | PixelData> =>
  typeof content === 'function' ? content() : content;

/** Returns an image's name in messages, which is its path or its place in the input. */
export const labelOf = (source: ImageSource): string => (typeof source === 'string' ? source : source.label);

/** Returns an image's name without ending, in NFC. */
export const nameOf = (source: ImageSource): string => (typeof source === 'string' ? stemOf(source) : source.stem);

/** Returns the name of an image's folder or list in messages. */
export const groupLabelOf = (source: ImageSource): string =>
  typeof source === 'string' ? dirname(source) : source.group.label;

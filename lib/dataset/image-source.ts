/** Where the pixels of an image come from: a file, or memory. */
import { dirname } from 'node:path';
import type { PixelData } from '../core/image.js';
import { stemOf } from './folders.js';

/** An image as users give it: a file's path, an encoded image in any format that files may have, or pixels. */
export type ImageInput = string | Uint8Array | PixelData;

/** Images that were taken by one camera: their 16-bit samples are read with one range. */
export interface ImageGroup {
  /** What messages call the group. */
  label: string;
  images: ImageInMemory[];
}

/** An image that lies in no file. */
export class ImageInMemory {
  readonly group: ImageGroup;

  constructor(
    /** What messages call the image, such as `crack[2].image`. */
    readonly label: string,
    /** What stands where a file's name would, without ending. */
    readonly stem: string,
    readonly content: Uint8Array | PixelData,
    group?: ImageGroup,
  ) {
    this.group = group ?? { label, images: [this] };
  }
}

/** A file's path, or an image in memory. */
export type ImageSource = string | ImageInMemory;

/** What messages call an image: the path, or the place in the list that it was given in. */
export const labelOf = (source: ImageSource): string => (typeof source === 'string' ? source : source.label);

/** A name without ending, in NFC. */
export const nameOf = (source: ImageSource): string => (typeof source === 'string' ? stemOf(source) : source.stem);

/** What messages call the images around one: the folder, or the list that it was given in. */
export const groupLabelOf = (source: ImageSource): string =>
  typeof source === 'string' ? dirname(source) : source.group.label;

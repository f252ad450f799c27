/** Masks that are drawn from the shapes of annotations whenever they are read, so that memory does not hold them. */
import { DatasetError } from '../../core/errors.js';
import type { Size } from '../cut.js';
import { readSize } from '../decode.js';
import { ImageInMemory, type ImageSource, nameOf } from '../image-source.js';
import { turnedSize } from '../orientation.js';
import type { Shape } from './canvas.js';

/** What an annotation says about its image. */
export interface Annotation {
  /** The file of the annotation and the image in it, for messages. */
  where: string;
  /** The size that the annotation gives to the image, in pixels, if it gives one. */
  size?: Size | undefined;
}

const sameSize = (a: Size, b: Size) => a.width === b.width && a.height === b.height;

/**
 * Returns the size of the image that the shapes were drawn on, from that of its file. Some tools apply the EXIF orientation before, and others
 * do not. Throws ERR_DATASET_INVALID if the image has another size than the annotation says.
 */
export function drawnSize(stored: Size & { orientation: number }, { where, size }: Annotation): Size {
  const shown = turnedSize(stored, stored.orientation);
  if (size === undefined || sameSize(size, shown)) return shown;
  if (sameSize(size, stored)) return size;
  throw new DatasetError(
    `${where} says that the image has ${size.width} x ${size.height} pixels, but it has ${shown.width} x ${shown.height}: export the annotations again`,
  );
}

/** Throws ERR_DATASET_INVALID with the shapes of a mask that marks no pixel. */
function refuseEmpty(data: Uint8Array, shapes: readonly Shape[]): void {
  if (data.includes(255)) return;
  const [first, ...others] = shapes.map(({ where }) => where);
  const more = others.length === 0 ? '' : `, like ${others.length} more of its type in the image`;
  throw new DatasetError(`${first} is empty: it marks no pixel${more}, so draw it larger or remove it`);
}

/**
 * Returns the mask of all defects of one type in an image. Reading it throws ERR_DATASET_INVALID if a shape does not fit
 * its image, or if no pixel is marked.
 */
export function drawnMask(
  image: ImageSource,
  type: string,
  annotation: Annotation,
  shapes: readonly Shape[],
): ImageInMemory {
  return new ImageInMemory(`of ${type} in ${annotation.where}`, `${nameOf(image)}_mask`, async () => {
    const { width, height } = drawnSize(await readSize(image), annotation);
    const canvas = { data: new Uint8Array(width * height), width, height };
    for (const shape of shapes) await shape.draw(canvas);
    refuseEmpty(canvas.data, shapes);
    return { ...canvas, channels: 1 as const };
  });
}

import { type PixelData, RawImage } from '../core/image.js';
import { type Kernel, resizeImage } from './image-file.js';

/** The size of an image, in pixels. */
export interface Size {
  width: number;
  height: number;
}

/** A box in an image, in pixels. It may reach beyond the border of the image. */
export interface Box extends Size {
  left: number;
  top: number;
}

/** Returns the middle of a box, in pixels. */
export const middleOf = ({ left, top, width, height }: Box): { x: number; y: number } => ({
  x: left + width / 2,
  y: top + height / 2,
});

/**
 * Returns the start of a span of `side` pixels that is centred on `centre` as far as an image of `extent` pixels allows.
 * A span that does not fit reaches beyond the image equally on both sides.
 */
export const startAround = (centre: number, side: number, extent: number): number =>
  side >= extent
    ? Math.round((extent - side) / 2)
    : Math.min(Math.max(Math.round(centre - side / 2), 0), extent - side);

/** Returns the size of an image whose longer side is shrunk to at most `longest` pixels. */
export function shrunkSize({ width, height }: Size, longest: number): Size {
  const scale = Math.min(1, longest / Math.max(width, height));
  const shrunk = (side: number) => Math.max(1, Math.round(scale * side));
  return { width: shrunk(width), height: shrunk(height) };
}

/** Returns the pixel within 0 to `extent` - 1 that `at` shows if the image is mirrored at its borders. */
function mirrored(at: number, extent: number): number {
  const period = 2 * extent;
  const inside = ((at % period) + period) % period;
  return inside < extent ? inside : period - 1 - inside;
}

/**
 * Cuts a box out of an image and resizes it to `width` x `height` pixels. Where the box reaches beyond the border, the
 * image is mirrored.
 */
export async function cutOut(
  image: PixelData,
  box: Box,
  { width, height, kernel = 'lanczos3' }: { width: number; height: number; kernel?: Kernel },
): Promise<RawImage> {
  const { channels } = image;
  const data = new Uint8Array(box.width * box.height * channels);
  const columns = Int32Array.from({ length: box.width }, (_, x) => channels * mirrored(box.left + x, image.width));
  for (let y = 0, to = 0; y < box.height; y++) {
    const row = mirrored(box.top + y, image.height) * image.width * channels;
    for (const column of columns) {
      for (let channel = 0; channel < channels; channel++) data[to++] = image.data[row + column + channel] as number;
    }
  }
  return await resizeImage(
    new RawImage({ data, width: box.width, height: box.height, channels }),
    width,
    height,
    kernel,
  );
}

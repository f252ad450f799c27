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

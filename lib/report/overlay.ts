import type { PixelData } from '../core/image.js';
import { shrunk } from '../dataset/thumbnail-file.js';

const COLOUR = [255, 40, 40] as const;
/** A pixel of a shrunk mask counts as marked from this value on, so that a thin crack does not vanish. */
const MARKED = 16;

/** Draws the outline of the mask on the image in red. */
export function overlay(image: PixelData, mask: PixelData): PixelData {
  const { width, height, channels } = image;
  const data = new Uint8Array(image.data); // This copies the pixels.
  const isSet = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < width && y < height && (mask.data[y * width + x] as number) > 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((mask.data[y * width + x] as number) === 0) continue;
      const isInside = isSet(x - 1, y) && isSet(x + 1, y) && isSet(x, y - 1) && isSet(x, y + 1);
      if (!isInside) data.set(COLOUR, 3 * (y * width + x));
    }
  }
  return { data, width, height, channels };
}

/**
 * Returns a small RGB image with the outline of its mask, which has the image's size and one channel. Its longer side has
 * at most `longest` pixels.
 */
export async function outlined(
  { image, mask }: { image: PixelData; mask: PixelData },
  longest?: number,
): Promise<PixelData> {
  const { data, ...size } = await shrunk(mask, longest);
  return overlay(await shrunk(image, longest), { ...size, data: data.map((value) => (value >= MARKED ? 255 : 0)) });
}

import { type PixelData, RawImage } from '../core/image.js';
import type { Fit } from '../options/names.js';
import { type Box, middleOf, startAround } from './cut.js';
import { type Kernel, resizeImage } from './image-file.js';

/** Returns the smallest box around all pixels of at least one half. Returns undefined for an empty mask. */
export function boundingBox(mask: PixelData): Box | undefined {
  const { data, width: columns, height: rows } = mask;
  let [left, right, top, bottom] = [columns, -1, rows, -1];
  for (let y = 0, row = 0; y < rows; y++, row += columns) {
    let first = 0;
    while (first < columns && (data[row + first] as number) < 128) first++;
    if (first === columns) continue;
    let last = columns - 1;
    while (last > right && (data[row + last] as number) < 128) last--;
    left = Math.min(left, first);
    right = Math.max(right, last);
    top = Math.min(top, y);
    bottom = y;
  }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

function crop(image: PixelData, left: number, top: number, size: number): RawImage {
  const { width, channels } = image;
  const data = new Uint8Array(size * size * channels);
  for (let y = 0; y < size; y++) {
    const from = ((top + y) * width + left) * channels;
    data.set(image.data.subarray(from, from + size * channels), y * size * channels);
  }
  return new RawImage({ data, width: size, height: size, channels });
}

/** Returns a mask of 0 and 255, with one half as the threshold. */
export const binarize = ({ data, width, height, channels }: PixelData): RawImage =>
  new RawImage({ data: data.map((value) => (value >= 128 ? 255 : 0)), width, height, channels });

/**
 * Makes a square of `resolution` pixels from an image or a mask.
 *
 * `crop` resizes the shorter side to `resolution` and takes a square around the middle of the defect. `defect` is a
 * mask of the image's size. The square holds the whole defect if it is large enough. Without a defect, it is in the
 * middle of the image. `kernel` defaults to bilinear, as in the published code.
 */
export async function fitAround(
  image: PixelData,
  defect: PixelData | undefined,
  resolution: number,
  fit: Fit,
  kernel: Kernel = 'linear',
): Promise<RawImage> {
  const scale = resolution / Math.min(image.width, image.height);
  const width = fit === 'stretch' ? resolution : Math.max(resolution, Math.round(image.width * scale));
  const height = fit === 'stretch' ? resolution : Math.max(resolution, Math.round(image.height * scale));
  const resized = await resizeImage(image, width, height, kernel);
  if (width === height) return resized;
  const marked = defect && boundingBox(await resizeImage(defect, width, height));
  const middle = middleOf(marked ?? { left: 0, top: 0, width, height });
  const left = startAround(middle.x, resolution, width);
  const top = startAround(middle.y, resolution, height);
  return crop(resized, left, top, resolution);
}

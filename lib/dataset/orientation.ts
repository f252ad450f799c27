/** Applies the EXIF orientation of images. */

/** Returns width and height after the EXIF orientation is applied. */
export const turnedSize = ({ width, height }: { width: number; height: number }, orientation: number) =>
  orientation >= 5 ? { width: height, height: width } : { width, height };

/** Rotates and mirrors an image as the EXIF orientation requires. */
export function turned<T extends { data: Uint8Array; width: number; height: number; channels: number }>(
  image: T,
  orientation: number,
): T {
  if (orientation < 2 || orientation > 8) return image;
  const { width, height, channels } = image;
  const size = turnedSize(image, orientation);
  const data = new Uint8Array(image.data.length);
  const swaps = orientation >= 5;
  const [fromRight, fromBottom] = [[2, 3, 7, 8].includes(orientation), [3, 4, 6, 7].includes(orientation)];
  let to = 0;
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const [u, v] = swaps ? [y, x] : [x, y];
      const column = fromRight ? width - 1 - u : u;
      const row = fromBottom ? height - 1 - v : v;
      const from = (row * width + column) * channels;
      for (let channel = 0; channel < channels; channel++) data[to++] = image.data[from + channel] as number;
    }
  }
  return { ...image, data, ...size };
}

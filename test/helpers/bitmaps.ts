/** BMP files of the sample pictures. */
import { bmp } from './bmp.js';
import { alpha, at, colours, few, height, rgb, size, width } from './pictures.js';

export const bitmap = (options: Omit<Parameters<typeof bmp>[0], 'width' | 'height'>) => bmp({ ...size, ...options });
export const indexed = (bits: number, more: object = {}) =>
  bitmap({ bits, pixels: few(bits), palette: colours(bits), ...more });
export const packedRgb = at((x, y) => 3 * (y * width + x)).map(
  (i) => ((rgb[i] as number) << 16) | ((rgb[i + 1] as number) << 8) | (rgb[i + 2] as number),
);
/** Pixels with so many bits a channel, red in the highest. */
export const inBits = (red: number, green: number, blue: number) =>
  at((x, y) => 3 * (y * width + x)).map((i) => {
    const part = (channel: number, bits: number) => Math.round(((rgb[i + channel] as number) * (2 ** bits - 1)) / 255);
    return (part(0, red) * 2 ** green + part(1, green)) * 2 ** blue + part(2, blue);
  });
export const fromBits = (...bits: number[]) =>
  rgb.map((value, i) => {
    const most = 2 ** (bits[i % 3] as number) - 1;
    return Math.round((Math.round((value * most) / 255) * 255) / most);
  });
/** Each row in runs of 4, then 3 as they are, then runs; the picture from the bottom on. */
export function runLength(bits: 4 | 8): Buffer {
  const bytes: number[] = [];
  const levels = few(bits);
  for (let y = height - 1; y >= 0; y--) {
    const row = levels.slice(y * width, (y + 1) * width);
    const pair = (i: number) => (bits === 8 ? (row[i] as number) : ((row[i] as number) << 4) | (row[i + 1] ?? 0));
    bytes.push(0, 5, ...(bits === 8 ? [0, 1, 2, 3, 4].map(pair) : [pair(0), pair(2), pair(4)]), 0); // as they are
    for (let x = 5; x < width; x++) bytes.push(1, bits === 8 ? (row[x] as number) : (row[x] as number) << 4);
    bytes.push(0, 0);
  }
  return Buffer.from([...bytes, 0, 1]);
}
export const rle = (bits: 4 | 8) =>
  bitmap({ bits, pixels: [], palette: colours(bits), compression: bits === 8 ? 1 : 2, data: runLength(bits) });
export const rgba32 = packedRgb.map((pixel, i) => (alpha[i] as number) * 2 ** 24 + pixel);
export const masks8888 = [0xff0000, 0xff00, 0xff, 0xff000000];

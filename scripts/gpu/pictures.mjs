// Makes the pictures of the parts that use the API. They depend on nothing but their number.
import { Dataset } from '../../dist/index.js';

/** Returns a picture of smooth waves. */
export function picture(side, number) {
  const data = Uint8Array.from({ length: 3 * side * side }, (_, i) => {
    const [x, y, channel] = [Math.floor(i / 3) % side, Math.floor(i / 3 / side), i % 3];
    const wave = Math.sin((x * (number + 2)) / 17 + channel) + Math.cos((y * (number + 3)) / 23);
    return 128 + 50 * wave;
  });
  return { data, width: side, height: side, channels: 3 };
}

/** Returns a mask of a rectangle that differs between numbers. */
function rectangle(side, number) {
  const [left, top] = [side / 8 + number * 3, side / 4 + number];
  const data = Uint8Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    return x >= left && x < left + side / 4 && y >= top && y < top + side / 5 ? 255 : 0;
  });
  return { data, width: side, height: side, channels: 1 };
}

/** Returns a picture with a dark defect, and its mask. */
export function example(side, number) {
  const [image, mask] = [picture(side, number), rectangle(side, number)];
  mask.data.forEach((marked, i) => {
    if (marked) image.data.fill(20, 3 * i, 3 * i + 3);
  });
  return { image, mask };
}

/** Returns a dataset of three defects. */
export function makeDataset(side) {
  const examples = [0, 1, 2].map((number) => example(side, number));
  return Dataset.from({ types: { stain: examples }, good: [picture(side, 7)], category: 'plate' });
}

/** Returns backgrounds for adapters with background compensation. */
export const backgroundsOf = (side) =>
  [6, 7].map((number) => ({ image: picture(side, number), foreground: rectangle(side, 1) }));

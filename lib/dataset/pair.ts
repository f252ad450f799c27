import type { NativePair } from '../addon-types.js';
import { type Channels, type PixelData, RawImage } from '../core/image.js';

/** Functions take pairs in this form, in which every image may be any object with pixels. */
export interface PairData {
  index: number;
  seed: number;
  image: PixelData;
  part: PixelData;
  attention?: PixelData;
  mask?: PixelData;
}

/** A generated pair: the whole image with the defect, and the defect alone on blank ground. */
export interface Pair extends PairData {
  /** Which pair of the seed this is; the same index and seed start from the same noise. */
  index: number;
  seed: number;
  /** RGB. */
  image: RawImage;
  /** RGB. */
  part: RawImage;
  /** Where the anomaly branch looked, one channel spread to 0..255, where `attention` was asked for. */
  attention?: RawImage;
  /** Where the defect is, one channel of 0 and 255: exact, of pairs of the recipe `augment`. */
  mask?: RawImage;
}

/** @internal */
export function toPair(native: NativePair, size: number, seed: number): Pair {
  const raw = (data: Uint8Array, channels: Channels = 3) => new RawImage({ data, width: size, height: size, channels });
  const pair: Pair = { index: native.index, seed, image: raw(native.image), part: raw(native.part) };
  if (native.attention) pair.attention = raw(native.attention, 1);
  if (native.mask) pair.mask = raw(native.mask, 1);
  return pair;
}

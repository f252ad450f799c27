import type { NativePair } from '../addon-types.js';
import { type Channels, type PixelData, RawImage } from '../core/image.js';

/** A pair that functions accept as input. Every image may be any object with pixels. */
export interface PairData {
  index: number;
  seed: number;
  image: PixelData;
  part: PixelData;
  attention?: PixelData;
  mask?: PixelData;
}

/** A generated pair: the image with the defect, and the anomaly part, which is the defect on a plain background. */
export interface Pair extends PairData {
  /** The number of the pair, from 0 on. Index and seed decide its noise. */
  index: number;
  seed: number;
  /** RGB. It has one channel if a defect was placed in a grey photograph. */
  image: RawImage;
  /** RGB. */
  part: RawImage;
  /** The attention map of the anomaly branch, one channel scaled to 0 to 255. Present only if `attention` is true. */
  attention?: RawImage;
  /** The exact mask of the defect, one channel of 0 and 255. Only pairs of the recipe `augment` have it. */
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

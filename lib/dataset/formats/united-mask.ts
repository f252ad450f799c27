import { type PixelData, RawImage } from '../../core/image.js';
import type { LoadedImage } from './loaded-image.js';

/** Returns one mask of all defects of an image. It is empty for a good image. */
export function unitedMask({ defects, width, height }: LoadedImage): PixelData {
  const [first, ...others] = defects;
  if (first && others.length === 0) return first.mask;
  const data = new Uint8Array(width * height);
  for (const { mask } of defects) {
    for (let i = 0; i < data.length; i++) if (mask.data[i] === 255) data[i] = 255;
  }
  return new RawImage({ data, width, height, channels: 1 });
}

import type { PixelData } from '../core/image.js';
import { thresholdSchema } from '../options/masks.js';

export type PartFill = 'grey' | 'black';

/** The grey value of a part's background, 0 to 255. */
export const fillLevel: Record<PartFill, number> = { grey: 127.5, black: 0 };

/** An RGB image of a defect, and its mask of 0 and 255. */
interface Defect {
  pixels: PixelData;
  maskPixels: PixelData;
}

/** Returns the share of the defects' pixels that differ from `fill` by at least the threshold of the mask method. */
function distinguishableShare(fill: PartFill, examples: readonly Defect[]): number {
  const { threshold } = thresholdSchema.parse({});
  let [distinguishable, all] = [0, 0];
  for (const { pixels, maskPixels } of examples) {
    for (const [i, marked] of maskPixels.data.entries()) {
      if (marked === 0) continue;
      const channels = pixels.data.subarray(3 * i, 3 * i + 3);
      all++;
      if (channels.some((value) => Math.abs(value - fillLevel[fill]) >= 255 * threshold)) distinguishable++;
    }
  }
  return distinguishable / all;
}

/** Chooses the background that more of the defects' pixels stand out against. Chooses grey if both are equal. */
export function clearerFill(examples: readonly Defect[]): PartFill {
  return distinguishableShare('black', examples) > distinguishableShare('grey', examples) ? 'black' : 'grey';
}

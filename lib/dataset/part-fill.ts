import type { PixelData } from '../core/image.js';
import { thresholdSchema } from '../options/masks.js';

export type PartFill = 'grey' | 'black';

/** The level of a part's blank, 0 to 255. */
export const fillLevel: Record<PartFill, number> = { grey: 127.5, black: 0 };

/** A defect on its ground, RGB, and where it is: one channel of 0 and 255. */
interface Defect {
  pixels: PixelData;
  maskPixels: PixelData;
}

/** The share of the defects' pixels that are as far from `fill` as a mask by threshold asks. */
function shareToldFrom(fill: PartFill, examples: readonly Defect[]): number {
  const { threshold } = thresholdSchema.parse({});
  let [told, all] = [0, 0];
  for (const { pixels, maskPixels } of examples) {
    for (const [i, marked] of maskPixels.data.entries()) {
      if (marked === 0) continue;
      const channels = pixels.data.subarray(3 * i, 3 * i + 3);
      all++;
      if (channels.some((value) => Math.abs(value - fillLevel[fill]) >= 255 * threshold)) told++;
    }
  }
  return told / all;
}

/** The blank that more of the defects' pixels can be told from; grey where it is the same. */
export function clearerFill(examples: readonly Defect[]): PartFill {
  return shareToldFrom('black', examples) > shareToldFrom('grey', examples) ? 'black' : 'grey';
}

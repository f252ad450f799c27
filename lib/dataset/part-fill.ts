import { setImmediate } from 'node:timers/promises';
import type { PixelData } from '../core/image.js';
import { thresholdSchema } from '../options/masks.js';

export type PartFill = 'grey' | 'black';

/** The grey value of a part's background, 0 to 255. */
export const fillLevel: Record<PartFill, number> = { grey: 127.5, black: 0 };

/** The event loop goes on after so many pixels. */
const PIXELS_AT_ONCE = 2 ** 20;

/** An RGB image of a defect, and its mask of 0 and 255. */
interface Defect {
  pixels: PixelData;
  maskPixels: PixelData;
}

/** Returns the share of the defects' pixels that differ from `fill` by at least the threshold of the mask method. */
async function distinguishableShare(fill: PartFill, examples: readonly Defect[]): Promise<number> {
  const least = 255 * thresholdSchema.parse({}).threshold;
  const level = fillLevel[fill];
  let [distinguishable, all] = [0, 0];
  for (const { pixels, maskPixels } of examples) {
    const differs = (i: number) => Math.abs((pixels.data[i] as number) - level) >= least;
    for (let i = 0; i < maskPixels.data.length; i++) {
      if (i % PIXELS_AT_ONCE === 0) await setImmediate();
      if (maskPixels.data[i] === 0) continue;
      all++;
      if (differs(3 * i) || differs(3 * i + 1) || differs(3 * i + 2)) distinguishable++;
    }
  }
  return distinguishable / all;
}

/** Chooses the background that more of the defects' pixels stand out against. Chooses grey if both are equal. */
export async function clearerFill(examples: readonly Defect[]): Promise<PartFill> {
  return (await distinguishableShare('black', examples)) > (await distinguishableShare('grey', examples))
    ? 'black'
    : 'grey';
}

/** Finds the masks of generated pairs by one or several methods. */
import type { z } from 'zod';
import type { Mask } from '../core/image.js';
import { agreementOf, touches } from '../dataset/agreement.js';
import type { GeneratedPair } from '../dataset/generated-pair.js';
import type { Pair } from '../dataset/pair.js';
import { given } from '../options/check.js';
import type { maskSettingsSchema } from '../options/masks.js';
import { Masker } from './masker.js';

/** Holds the settings of masks. The first method makes the mask of a pair, so an empty list means no masks. */
export type ResolvedMasks = z.output<typeof maskSettingsSchema>;

/** Describes the defect that the mask methods found in a pair. */
export type FoundDefect = Required<Pick<GeneratedPair, 'mask' | 'maskMethod' | 'touches'>> &
  Pick<GeneratedPair, 'agreement'>;

export class PairMasker {
  private constructor(
    private readonly maskers: readonly Masker[],
    private readonly visible: Masker,
  ) {}

  /** Loads the maskers of the methods. Returns undefined for an empty list of methods. */
  static async create(
    { mask: methods, maskWeights, maskThreshold }: ResolvedMasks,
    { partFill, device }: { partFill: 'grey' | 'black'; device: string },
  ): Promise<PairMasker | undefined> {
    const [first] = methods;
    if (first === undefined) return undefined;
    const maskers: Masker[] = [];
    for (const method of methods) {
      // The threshold applies to the first method only, because the scales of the methods differ.
      const threshold = method === first ? maskThreshold : undefined;
      if (method === 'u2net') maskers.push(await Masker.load(maskWeights, given({ device, threshold })));
      else if (method === 'attention') maskers.push(Masker.attention(given({ threshold })));
      else maskers.push(Masker.threshold(given({ partFill, threshold })));
    }
    return new PairMasker(maskers, Masker.threshold({ partFill }));
  }

  async find(pair: Pair, signal?: AbortSignal): Promise<FoundDefect> {
    const masks: { method: Masker['method']; mask: Mask }[] = [];
    for (const masker of this.maskers) {
      masks.push({ method: masker.method, mask: await masker.maskPair(pair, given({ signal })) });
    }
    const [first] = masks as [(typeof masks)[number]];
    return {
      mask: first.mask,
      maskMethod: first.method,
      ...(masks.length > 1 && { agreement: agreementOf(masks) }),
      touches: touches(first.mask, await this.visible.mask(pair.part, given({ signal }))),
    };
  }

  async dispose(): Promise<void> {
    for (const masker of this.maskers) await masker.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** Masks of one pair in several ways. */

import { InvalidOptionError } from '../core/errors.js';
import { agreementOf, touches } from '../dataset/agreement.js';
import type { Pair } from '../dataset/pair.js';
import { type KeepRule, parseKeepRule } from '../dataset/selection.js';
import { type Mask, Masker, type MaskMethod } from '../model/masker.js';
import { given } from '../options/check.js';

/** Flags of masks as commander gives them. */
export interface MaskFlags {
  /** The first one's masks are written. */
  mask: MaskMethod[];
  weights?: string;
  maskThreshold?: number;
  keepBest?: string;
}

/** What is known of a pair's defect. */
export interface FoundDefect {
  method: MaskMethod;
  mask: Mask;
  /** The IoU of every two methods, where there are several. */
  agreement?: Record<string, number>;
  /** Whether the mask covers anything that is not blank in the part. */
  touches: boolean;
}

/** The rule of `--keep-best`. To be called before any work is done; throws ERR_INVALID_OPTION. */
export function keepRule({ keepBest, mask }: MaskFlags): KeepRule | undefined {
  if (keepBest === undefined) return undefined;
  if (mask.length < 2) {
    throw new InvalidOptionError(
      `Expected several methods for mask with keepBest, such as all, but received ${mask.join() || 'none'}: pairs are judged by how far the methods agree`,
    );
  }
  return parseKeepRule(keepBest);
}

export class PairMasker {
  private constructor(
    private readonly maskers: readonly Masker[],
    private readonly visible: Masker,
  ) {}

  /** For the methods that the flags ask for; undefined for none. */
  static async create(flags: MaskFlags, partFill: 'grey' | 'black', device: string): Promise<PairMasker | undefined> {
    const [first] = flags.mask;
    if (first === undefined) return undefined;
    // A threshold belongs to the method whose masks are written.
    const thresholdFor = (method: MaskMethod) => (method === first ? flags.maskThreshold : undefined);
    const maskers: Masker[] = [];
    for (const method of flags.mask) {
      const threshold = thresholdFor(method);
      if (method === 'u2net') maskers.push(await Masker.load(flags.weights, given({ device, threshold })));
      else if (method === 'layout') maskers.push(Masker.layout());
      else if (method === 'attention') maskers.push(Masker.attention(given({ threshold })));
      else maskers.push(Masker.threshold(given({ partFill, threshold })));
    }
    return new PairMasker(maskers, Masker.threshold({ partFill }));
  }

  async find(pair: Pair, signal: AbortSignal): Promise<FoundDefect> {
    const masks: { method: MaskMethod; mask: Mask }[] = [];
    for (const masker of this.maskers) {
      masks.push({ method: masker.method, mask: await masker.maskPair(pair, { signal }) });
    }
    const [first] = masks as [(typeof masks)[number]];
    return {
      ...first,
      ...(masks.length > 1 && { agreement: agreementOf(masks) }),
      touches: touches(first.mask, await this.visible.mask(pair.part, { signal })),
    };
  }

  async dispose(): Promise<void> {
    for (const masker of this.maskers) await masker.dispose();
  }
}

import type { RawImage } from '../core/image.js';
import type { MaskMethod } from '../options/names.js';
import type { Pair, PairData } from './pair.js';

/** What is known of a pair's mask. */
interface MaskNotes {
  /** How the mask was found. */
  maskMethod?: MaskMethod;
  /** Whether the mask covers anything of the part that is not its background. */
  touches?: boolean;
  /** The IoU of every two mask methods, where there are several: `{ 'u2net/threshold': 0.8 }`. */
  agreement?: Record<string, number>;
}

/** A generated pair with its mask, which is absent where no mask was asked for. */
export interface GeneratedPair extends Pair, MaskNotes {
  /** One channel of 0 and 255. */
  mask?: RawImage;
}

/** A generated pair for which a mask was asked. */
export interface MaskedPair extends GeneratedPair {
  mask: RawImage;
}

/** A pair as a writer takes it: every image may be any object with pixels. */
export interface WritablePair extends PairData, MaskNotes {}

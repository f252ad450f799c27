import type { RawImage } from '../core/image.js';
import type { MaskMethod } from '../options/names.js';
import type { Pair, PairData } from './pair.js';
import type { PlacedDefect } from './pair-record.js';

/** Facts about the defects of a pair. */
interface MaskNotes {
  /** The method that found the mask. */
  maskMethod?: MaskMethod;
  /** True if the mask covers at least one pixel of the part that is not background. */
  touches?: boolean;
  /** The IoU of every two mask methods, as in `{ 'u2net/threshold': 0.8 }`. It is absent for a single method. */
  agreement?: Record<string, number>;
  /** The name of the photograph that the defects were placed in. Only pairs of `place` have it. */
  photograph?: string;
  /** The defects that were placed in the photograph. */
  defects?: PlacedDefect[];
}

/** A generated pair with its mask. The mask is absent if none was requested. */
export interface GeneratedPair extends Pair, MaskNotes {
  /** One channel of 0 and 255. */
  mask?: RawImage;
}

/** A generated pair for which a mask was asked. */
export interface MaskedPair extends GeneratedPair {
  mask: RawImage;
}

/** A pair that a writer accepts. Every image may be any object with pixels. */
export interface WritablePair extends PairData, MaskNotes {}

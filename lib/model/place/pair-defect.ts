import type { NativePlaced } from '../../addon-types.js';
import type { Place } from './place.js';

/** A smaller change of the photograph cannot be seen, as a share of the range. */
const MIN_CONTRAST = 0.04;
/** A defect whose mask covers the change less well than this IoU is drawn again. */
const MIN_FIT = 0.5;
/**
 * A defect that stands out from the grain of its ground less than this is drawn again elsewhere. Detectors that learn
 * from hardly visible defects find defects in grain and at dark edges.
 */
const MIN_CONTRAST_TO_NOISE = 2;
/** A defect is drawn at most this many times. */
const MAX_ATTEMPTS = 4;

/** A defect that the model drew. */
export interface DrawnDefect {
  place: Place;
  drawn: NativePlaced;
  /** The largest change of the photograph inside the mask, as a share of the range. */
  contrast: number;
  /** The mean change inside the mask, divided by the standard deviation of the photograph there and nearby. */
  contrastToNoise: number;
  /** The IoU of the mask and of the pixels that changed visibly. */
  fit: number;
}

const fits = ({ fit }: DrawnDefect) => fit >= MIN_FIT;

/** Returns true if the first defect suits a pair better: one whose mask fits before one that stands out. */
function isBetter(one: DrawnDefect, other: DrawnDefect): boolean {
  if (fits(one) !== fits(other)) return fits(one);
  return fits(one) ? one.contrastToNoise > other.contrastToNoise : one.fit > other.fit;
}

/** One of the defects of a pair, which is drawn again until it can be used. */
export class PairDefect {
  /** The place that is to be drawn. Undefined if the defect is finished. */
  next: Place | undefined;
  /** The number of times that it was drawn. */
  attempts = 0;
  /** The best of the visible defects. Undefined if none was visible. */
  best: DrawnDefect | undefined;

  constructor(
    /** With the seed and the attempt, this number decides the noise. */
    readonly index: number,
    place: Place,
  ) {
    this.next = place;
  }

  /** The places that other defects of the pair leave free. */
  get places(): Place[] {
    return [this.next, this.best?.place].filter((place) => place !== undefined);
  }

  /** Takes what was drawn. Returns true if it should be drawn again. */
  take(defect: DrawnDefect, isEmpty: boolean): boolean {
    this.attempts++;
    this.next = undefined;
    const isVisible = !isEmpty && defect.contrast >= MIN_CONTRAST;
    if (isVisible && (!this.best || isBetter(defect, this.best))) this.best = defect;
    const isGood = isVisible && fits(defect) && defect.contrastToNoise >= MIN_CONTRAST_TO_NOISE;
    return !isGood && this.attempts < MAX_ATTEMPTS;
  }
}

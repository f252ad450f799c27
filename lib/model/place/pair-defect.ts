import type { NativePlaced } from '../../addon-types.js';
import type { Place } from './place.js';

/** A smaller change of the photograph cannot be seen, as a share of the range. */
const MIN_CONTRAST = 0.04;
/** A defect whose mask covers the change less well than this IoU is drawn again. */
const MIN_FIT = 0.5;
/** A defect is drawn at most this many times. */
const MAX_ATTEMPTS = 4;

/** A defect that the model drew. */
export interface DrawnDefect {
  place: Place;
  drawn: NativePlaced;
  /** The largest change of the photograph inside the mask, as a share of the range. */
  contrast: number;
  /** The IoU of the mask and of the pixels that changed visibly. */
  fit: number;
}

/** One of the defects of a pair, which is drawn again until it can be used. */
export class PairDefect {
  /** The place that is to be drawn. Undefined if the defect is finished. */
  next: Place | undefined;
  /** The number of times that it was drawn. */
  attempts = 0;
  /** The defect with the best mask. Undefined if none was visible. */
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
    if (isVisible && (!this.best || defect.fit > this.best.fit)) this.best = defect;
    return !(isVisible && defect.fit >= MIN_FIT) && this.attempts < MAX_ATTEMPTS;
  }
}

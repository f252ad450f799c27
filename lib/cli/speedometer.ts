/**
 * Measures how many units of work are finished in a second. Units may be finished in bursts: a batch of pairs takes
 * minutes, and its pairs then come at once. So the speed is measured from the beginning of a burst to the beginning of
 * another one, and stays the same within a burst.
 */
export class Speedometer {
  readonly #began: number;
  #last: number;
  /** Until this moment, updates belong to the same burst. */
  #burstEnd = 0;
  #first: { done: number; at: number } | undefined;
  #speed: number | undefined;
  /** The largest number of units so far, without those that an earlier process finished. */
  #most = 0;
  #shown: number | undefined;

  /** `began` is the moment at which the work began, as `performance.now()` tells it. */
  constructor(began: number) {
    this.#began = began;
    this.#last = began;
  }

  /**
   * Returns the number of units that are finished in a second, when `done` units are finished, of which an earlier process
   * finished `doneBefore`. Returns undefined if this process has finished none.
   */
  at(done: number, doneBefore = 0): number | undefined {
    const own = done - doneBefore;
    if (own > this.#most) {
      this.#most = own;
      this.#shown = this.#measure(own);
    }
    return this.#shown;
  }

  /** A resumed run does not begin at 0, so the first update counts as one unit. */
  #measure(done: number): number {
    const now = performance.now();
    const pause = now - this.#last;
    this.#last = now;
    const isInBurst = now < this.#burstEnd;
    // A burst is shorter than half of the pause before it. Updates at even intervals are bursts of one unit.
    if (!isInBurst) this.#burstEnd = now + pause / 2;
    this.#first ??= { done, at: now };
    const { done: before, at } = this.#first;
    if (!isInBurst && done > before) this.#speed = (1000 * (done - before)) / Math.max(now - at, 1);
    // In the first burst, only the time since the work began is known. Preparations may have taken a part of it.
    return this.#speed ?? (1000 * (done - before + 1)) / Math.max(now - this.#began, 1);
  }
}

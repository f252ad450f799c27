/** Finds the defects in a mask: its connected components, of which close ones belong together. */
import type { PixelData } from '../core/image.js';
import type { Box } from './cut.js';

/** Marked pixels of one row, from `start` up to but not including `end`. */
export interface Run {
  y: number;
  start: number;
  end: number;
}

/** The pixels of one defect. */
export interface Defect {
  /** The smallest box around the defect, in pixels of the mask. */
  box: Box;
  /** The number of marked pixels. */
  area: number;
  /** The rows of the defect, from top to bottom. */
  runs: Run[];
}

/**
 * Parts of a defect that are at most this share of the photograph's longer side apart belong together, because masks
 * are often torn where a defect is faint. The smallest gap is for small photographs, in pixels.
 */
const GAP_SHARE = 1 / 256;
const SMALLEST_GAP = 3;

/** A component with less than this share of the largest one's area is a speck of the mask and no defect of its own. */
const SPECK_SHARE = 0.02;

/** Returns the runs of marked pixels, from top to bottom. */
function runsOf({ data, width }: PixelData): Run[] {
  const runs: Run[] = [];
  // The search runs over the whole image, because a search for each row would be slow on empty masks.
  for (let from = data.indexOf(255); from >= 0; ) {
    const y = Math.floor(from / width);
    const endOfRow = (y + 1) * width;
    const off = data.indexOf(0, from);
    const to = off < 0 ? endOfRow : Math.min(off, endOfRow);
    runs.push({ y, start: from - y * width, end: to - y * width });
    from = data.indexOf(255, to);
  }
  return runs;
}

/** Joins sets of numbers (union-find). */
class Sets {
  readonly #parents: Int32Array;

  constructor(count: number) {
    this.#parents = Int32Array.from({ length: count }, (_, i) => i);
  }

  /** Returns the smallest number of the set. */
  find(one: number): number {
    let root = one;
    while (this.#parents[root] !== root) root = this.#parents[root] as number;
    for (let at = one; at !== root; ) {
      const next = this.#parents[at] as number;
      this.#parents[at] = root;
      at = next;
    }
    return root;
  }

  join(a: number, b: number): void {
    const [one, other] = [this.find(a), this.find(b)];
    this.#parents[Math.max(one, other)] = Math.min(one, other);
  }
}

/** Returns where the runs of each row begin in the list, and its length at the end. */
function rowStarts(runs: readonly Run[], height: number): Int32Array {
  const starts = new Int32Array(height + 1).fill(runs.length);
  for (let i = runs.length - 1; i >= 0; i--) starts[(runs[i] as Run).y] = i;
  for (let y = height - 1; y >= 0; y--) starts[y] = Math.min(starts[y] as number, starts[y + 1] as number);
  return starts;
}

/** Joins the runs whose pixels are at most `gap` pixels apart along both axes. */
function joined(runs: readonly Run[], height: number, gap: number): Sets {
  const sets = new Sets(runs.length);
  const starts = rowStarts(runs, height);
  for (let y = 0; y < height; y++) {
    for (let other = Math.max(0, y - gap); other <= y; other++) {
      // The runs of a row are sorted, so that the first candidate of a run is no earlier than that of the run before it.
      let first = starts[other] as number;
      for (let i = starts[y] as number; i < (starts[y + 1] as number); i++) {
        const { start, end } = runs[i] as Run;
        const last = other === y ? i : (starts[other + 1] as number);
        while (first < last && start - (runs[first] as Run).end >= gap) first++;
        for (let at = first; at < last && (runs[at] as Run).start - end < gap; at++) sets.join(at, i);
      }
    }
  }
  return sets;
}

/** Returns the smallest box around runs. */
export function boxAround(runs: readonly Run[]): Box {
  let [left, right, top, bottom] = [Number.POSITIVE_INFINITY, 0, Number.POSITIVE_INFINITY, 0];
  for (const { y, start, end } of runs) {
    left = Math.min(left, start);
    right = Math.max(right, end);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y + 1);
  }
  return { left, top, width: right - left, height: bottom - top };
}

/** Returns the number of pixels in runs. */
const areaOf = (runs: readonly Run[]) => runs.reduce((area, { start, end }) => area + end - start, 0);

/**
 * Returns the defects in a mask of 0 and 255, from top to bottom. Components that are close to each other are one
 * defect. Defects with less than `speckShare` of the largest one's area are specks and left out. The list is empty for
 * an empty mask.
 */
export function defectsIn(mask: PixelData, speckShare = SPECK_SHARE): Defect[] {
  const gap = Math.max(SMALLEST_GAP, Math.round(GAP_SHARE * Math.max(mask.width, mask.height)));
  const runs = runsOf(mask);
  const sets = joined(runs, mask.height, gap);
  const grouped = new Map<number, Run[]>();
  for (const [i, run] of runs.entries()) {
    const set = sets.find(i);
    const group = grouped.get(set);
    if (group) group.push(run);
    else grouped.set(set, [run]);
  }
  const defects = [...grouped.values()].map((own) => ({ box: boxAround(own), area: areaOf(own), runs: own }));
  return withoutSpecks(defects, speckShare);
}

/** Leaves out the defects with less than `speckShare` of the area of the largest one. */
export function withoutSpecks(defects: readonly Defect[], speckShare = SPECK_SHARE): Defect[] {
  const largest = defects.reduce((most, { area }) => Math.max(most, area), 0);
  return defects.filter(({ area }) => area >= speckShare * largest);
}

/** Finds the highest score of each defect of a test image. */

import type { PixelData } from '../core/image.js';
import { type Defect, defectsIn, type Run } from '../dataset/components.js';
import type { Size } from '../dataset/cut.js';
import type { ScoreMap } from '../detect/resize-scores.js';

/** A defect of a test image: a connected region of its mask. Specks are left out, and close regions are one defect. */
export interface TestedDefect extends Omit<Defect, 'runs'> {
  /** The highest score of its pixels. */
  score: number;
}

/** Returns the highest score in a map that may be smaller than the photograph. Every defect covers a pixel of it. */
function highestIn(runs: readonly Run[], map: ScoreMap, photograph: Size): number {
  const column = (x: number) => Math.floor((x * map.width) / photograph.width);
  let highest = Number.NEGATIVE_INFINITY;
  for (const { y, start, end } of runs) {
    const row = Math.floor((y * map.height) / photograph.height) * map.width;
    for (let x = column(start); x <= column(end - 1); x++) highest = Math.max(highest, map.data[row + x] as number);
  }
  return highest;
}

/** Returns the defects of a mask of the photograph's own size, from top to bottom, with their scores in a map. */
export const testedDefects = (mask: PixelData, map: ScoreMap): TestedDefect[] =>
  defectsIn(mask).map(({ box, area, runs }) => ({ box, area, score: highestIn(runs, map, mask) }));

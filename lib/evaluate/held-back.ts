/** Chooses the good images on which detectors without defects choose their thresholds. */
import type { ImageSource } from '../dataset/image-source.js';

/** One of this many parts is held back. With fewer parts, none is. */
const EVERY = 10;

/**
 * Divides the good images that train into those that detectors without defects learn from, and those that are held back
 * for their thresholds: every tenth part with all its photographs. Without a tenth part, nothing is held back.
 */
export function holdBack(
  good: readonly ImageSource[],
  groups: ReadonlyMap<ImageSource, number>,
): { learned: ImageSource[]; heldBack: ImageSource[] } {
  const parts = [...new Set(good.map((source) => groups.get(source)))];
  const chosen = new Set(parts.filter((_, index) => index % EVERY === EVERY - 1));
  const isHeldBack = (source: ImageSource) => chosen.has(groups.get(source));
  return {
    learned: good.filter((source) => !isHeldBack(source)),
    heldBack: good.filter(isHeldBack),
  };
}

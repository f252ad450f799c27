/** Decides how large the windows are that training cuts out of photographs. */

import type { Size } from './cut.js';

/** The size of a defect in its photograph. */
export interface DefectSize {
  /** The pixels along the longer side of the box around the defect. */
  extent: number;
  /** The number of its pixels. */
  area: number;
}

/** The decision, and the sentence that explains it to people. */
export interface WindowDecision {
  /** The pixels of a photograph along each side of a window. `off` stands for whole images. */
  window: number | 'off';
  reason: string;
}

/** A window is at most this many times as long as a photograph. Beyond its border, the photograph is mirrored. */
export const MAX_MIRRORED = 4;

/** A defect of the usual size takes at most this share of a window, so that it is seen with its surroundings. */
const LARGEST_SHARE = 0.75;
/** Defects that take less than this share of a window are magnified. */
const SMALLEST_SHARE = 1 / 8;
/** A magnified window is this many times as large as its defects. */
const MAGNIFIED_SIDES = 4;
/** A window is magnified by this factor at most, because a photograph has no finer detail. */
const LARGEST_MAGNIFICATION = 4;
/** Windows shrink no defect of the usual thickness below this number of pixels. */
const SMALLEST_THICKNESS = 4;
/** The side of a window is a multiple of this number of pixels. */
const MULTIPLE = 8;

/** Returns the smallest value that the share `at` of the values does not exceed. The values must not be empty. */
function percentile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(at * sorted.length) - 1)] as number;
}

/** Returns the side of windows that suit defects of this extent and thickness, without regard to the photographs. */
function sideFor(extent: number, thickness: number, resolution: number): number {
  if (extent < SMALLEST_SHARE * resolution) {
    return Math.max(resolution / LARGEST_MAGNIFICATION, MAGNIFIED_SIDES * extent);
  }
  const largest = resolution * Math.max(1, thickness / SMALLEST_THICKNESS);
  return Math.min(Math.max(resolution, extent / LARGEST_SHARE), largest);
}

/** Describes the range of sizes. */
const sizesOf = (values: readonly number[]) => {
  const low = percentile(values, 0);
  const high = percentile(values, 1);
  return low === high ? `${low}` : `${low} to ${high}`;
};

/** Describes the sizes of photographs. */
function describe(photographs: readonly Size[]): string {
  const [widths, heights] = [photographs.map(({ width }) => width), photographs.map(({ height }) => height)];
  return `photographs of ${sizesOf(widths)} x ${sizesOf(heights)}`;
}

/**
 * Decides between whole images and windows. Windows show photographs at their own scale, unless the defects are larger
 * than a window or only a few pixels large. Whole images suit photographs that are hardly larger than a window.
 * Neither list may be empty. `resolution` is the number of pixels along each side of the model's images.
 */
export function decideWindow(
  photographs: readonly Size[],
  defects: readonly DefectSize[],
  resolution: number,
): WindowDecision {
  const extents = defects.map(({ extent }) => extent);
  const thickness = percentile(
    defects.map(({ area, extent }) => area / extent),
    0.5,
  );
  const side = MULTIPLE * Math.round(sideFor(percentile(extents, 0.75), thickness, resolution) / MULTIPLE);
  const shorter = percentile(
    photographs.map(({ width, height }) => Math.min(width, height)),
    0.5,
  );
  const shown = describe(photographs);
  if (shorter <= resolution) {
    const reason = `whole images: windows of ${resolution} pixels would be as large as ${shown}`;
    return { window: 'off', reason };
  }
  const lengths = sizesOf(extents);
  if (side >= shorter) {
    const reason = `whole images: windows for defects ${lengths} pixels long would be as large as ${shown}`;
    return { window: 'off', reason };
  }
  return { window: side, reason: `windows of ${side} pixels: the defects are ${lengths} pixels long in ${shown}` };
}

/** Describes the images and defects of one type for `check`. */
import type { DatasetImage } from '../dataset/dataset-images.js';
import { type DefectImage, type Losses, lossesInSquares, lossesInWindows } from '../dataset/lost-defects.js';
import type { SurveyedImage } from '../dataset/survey.js';
import { decideFor, requireWindow } from '../dataset/training-images.js';
import type { Fit } from '../options/names.js';

/** The settings that decide what training shows of an image. */
export interface WindowSettings {
  window: 'auto' | 'off' | number;
  resolution: number;
  fit: Fit;
}

/** Describes one defect type. */
export interface TypeCheck {
  type: string;
  /** The number of images of the type, including those that cannot be used. */
  images: number;
  /** The number of images with a mask that can be used. The other values are those of these images. */
  usable: number;
  /** The number of connected defects. */
  defects: number;
  /** The smallest, the middle and the largest share of an image that its defects cover, 0 to 1. */
  coverage: [number, number, number];
  /** The smallest, the middle and the largest of the longer sides of the defects, in pixels. */
  extents: [number, number, number];
  /** The pixels of a photograph along each side of a window, or `off` for whole images. */
  window: number | 'off';
  /** Why the windows have this size. It is absent if the options say so. */
  reason?: string;
  /** What training cuts or loses at this window. */
  losses: Losses;
}

function summaryOf(values: readonly number[]): [number, number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  return [sorted[0] ?? 0, sorted[Math.floor(sorted.length / 2)] ?? 0, sorted.at(-1) ?? 0];
}

/** Returns the window of a type, as training decides it. */
function windowFor(images: readonly DefectImage[], { window, resolution, fit }: WindowSettings) {
  if (window !== 'auto') return { window };
  if (fit === 'stretch' || images.length === 0) return { window: 'off' as const };
  const surveyed = images.map(({ width, height, defects }) => ({ width, height, defects: [...defects] }));
  return decideFor(surveyed, resolution);
}

/**
 * Describes a type. `listed` are all images of the dataset, and `surveyed` those that could be read. Throws
 * ERR_INVALID_OPTION for windows that are much larger than the images.
 */
export async function describeType(
  type: string,
  listed: readonly DatasetImage[],
  surveyed: readonly SurveyedImage[],
  settings: WindowSettings,
): Promise<TypeCheck> {
  const found = surveyed.flatMap(({ source, width, height, masks }) =>
    masks.filter((mask) => mask.type === type).map((mask) => ({ ...mask, source, width, height })),
  );
  const { resolution, fit } = settings;
  const { window, ...why } = windowFor(found, settings);
  if (window !== 'off' && found.length > 0) requireWindow(window, found);
  const losses =
    window === 'off'
      ? await lossesInSquares(found, resolution, fit)
      : await lossesInWindows(found, { window, resolution });
  const defects = found.flatMap((one) => one.defects);
  return {
    type,
    images: listed.filter((one) => one.defects.some((defect) => defect.type === type)).length,
    usable: found.length,
    defects: defects.length,
    coverage: summaryOf(found.map(({ coverage }) => coverage)),
    extents: summaryOf(defects.map(({ box }) => Math.max(box.width, box.height))),
    window,
    ...why,
    losses,
  };
}

/** Decides which squares of photographs the recipes of an evaluation work with. */
import { fewAtOnce } from '../core/few-at-once.js';
import { readImage } from '../dataset/image-file.js';
import type { Evaluator } from '../evaluate/evaluator.js';
import type { DualAnoDiff } from '../model/dualanodiff.js';
import type { TrainerOptions } from '../options/generated.js';
import type { RecipeName } from '../options/names.js';

/** The settings of a recipe that decide its squares. */
export type SquareSettings = Required<Pick<TrainerOptions, 'fit'>> & Pick<TrainerOptions, 'resolution' | 'window'>;

/**
 * Augmented pairs are this many times larger than the images that a detector sees, because resizing a photograph twice
 * blurs it. Even at twice the size, its finest grain is 8 % weaker than in photographs that are resized once.
 */
const AUGMENT_SCALE = 3;

/**
 * In an evaluation of tiles, augmented pairs are windows with this many tiles along each side, if photographs are as
 * large. Whole photographs of many megapixels would not fit into memory.
 */
const AUGMENT_TILES = 4;

/** Returns the median of the shorter sides of the photographs of defects that train. */
async function medianSide({ split }: Evaluator): Promise<number> {
  const examples = [...split.training.values()].flat();
  const sides = await fewAtOnce(examples, async ({ image }) => {
    const { width, height } = await readImage(image);
    return Math.min(width, height);
  });
  return sides.sort((a, b) => a - b)[Math.floor(sides.length / 2)] as number;
}

/**
 * Returns the squares of each recipe. A model draws squares that are at least as large as those of its own training. If
 * detectors see tiles, the squares are windows at the scale of the photographs. Otherwise images are stretched, as they
 * are for detectors, so that no defect is cut off.
 */
export async function squaresOf(
  evaluator: Evaluator,
  model: DualAnoDiff | undefined,
): Promise<Record<RecipeName, SquareSettings>> {
  const { tiles, resolution } = evaluator.protocol;
  const side = Math.max(resolution, model?.defaults.training.resolution ?? 0);
  const place: SquareSettings = { fit: 'crop' }; // Its pairs are whole photographs, so training decides about windows.
  if (!tiles) {
    return {
      augment: { fit: 'stretch', resolution: AUGMENT_SCALE * resolution },
      noise: { fit: 'stretch', resolution: side, window: 'off' },
      place,
    };
  }
  const augmented = Math.min(AUGMENT_TILES * resolution, await medianSide(evaluator));
  return {
    augment: { fit: 'crop', resolution: augmented, window: augmented },
    noise: { fit: 'crop', resolution: side, window: side },
    place,
  };
}

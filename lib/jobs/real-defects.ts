/** Measures the real defects of a type as the pairs of a recipe show defects, so that the report can compare both. */

import { fewAtOnce } from '../core/few-at-once.js';
import { defectsIn } from '../dataset/components.js';
import type { Size } from '../dataset/cut.js';
import type { Dataset } from '../dataset/dataset.js';
import { shapeOf, shapesIn } from '../dataset/defect-shape.js';
import { readExample } from '../dataset/example-file.js';
import type { TrainingImage } from '../dataset/training-region.js';
import type { RecipeName } from '../options/names.js';
import type { RealDefects } from '../report/pair-section.js';

/** What decides how much of a photograph a pair shows. */
interface Shown {
  recipe: RecipeName;
  trainImages: number | string;
  /** Pixels of the photograph along each side of a pair. Undefined if a pair shows a whole square of it. */
  window: number | undefined;
}

/** Measures whole photographs. With a window, sizes are shares of a window. */
async function inPhotographs(dataset: Dataset, type: string, trainImages: number | string, window: Size | undefined) {
  const examples = await dataset.trainingExamples(type, trainImages);
  return fewAtOnce(examples, async (example) => {
    const { mask } = await readExample(example);
    return defectsIn(mask).map((defect) => shapeOf(defect, window ?? mask));
  });
}

/**
 * Returns the real defects that the report of a type shows beside the generated ones. `examples` are the training images
 * as squares.
 */
export async function realDefects(
  dataset: Dataset,
  type: string,
  examples: readonly TrainingImage[],
  { recipe, trainImages, window }: Shown,
): Promise<RealDefects> {
  if (recipe === 'place') {
    return { images: await inPhotographs(dataset, type, trainImages, undefined), showsPlaces: true };
  }
  if (window === undefined) {
    return { images: examples.map(({ maskPixels }) => shapesIn(maskPixels)), showsPlaces: true };
  }
  const size = { width: window, height: window };
  return { images: await inPhotographs(dataset, type, trainImages, size), showsPlaces: false };
}

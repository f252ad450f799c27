import { lockFolder } from '../core/write-lock.js';
import { photographsOf, refuseOutInside } from '../dataset/photograph.js';
import { openRegions } from '../dataset/place-region.js';
import { checkOptions } from '../options/check.js';
import type { PlaceJobOptions } from '../options/generated.js';
import { placeJobSchema } from '../options/jobs.js';
import { openPlace } from '../recipes/place.js';
import { pickGiven } from '../recipes/recipe.js';
import { loadBase } from './base.js';
import type { JobContext } from './job.js';
import { writePairs } from './write-pairs.js';

/** Holds the result of placing defects in photographs. */
export interface PlaceResult {
  /** This is the folder of the generated dataset. */
  out: string;
  /** This is the number of pairs in the dataset. It includes those of earlier calls. */
  pairs: number;
  /** This number of pairs was left out, because their defects stayed invisible. */
  failed: number;
  seconds: number;
}

/**
 * Draws defects into good photographs and writes the pairs to `out` as a dataset. With `resume` it keeps existing pairs
 * and makes the others.
 *
 * Throws the errors of `DualAnoDiff.load` and `DualAnoDiff.place`, ERR_DATASET_INVALID if `out` holds pairs of other
 * settings, ERR_NO_PAIRS if no defect became visible, and ERR_BUSY if another process writes to it.
 */
export async function place(options: PlaceJobOptions, context: JobContext = {}): Promise<PlaceResult> {
  const checked = checkOptions(placeJobSchema, options);
  const { adapter, onto, out, where, whereNot, count, resume } = checked;
  const photographs = await photographsOf(onto); // Wrong paths must fail before the model is loaded.
  if (where !== 'auto') await openRegions('where', where, photographs);
  if (whereNot !== undefined) await openRegions('whereNot', whereNot, photographs);
  await refuseOutInside(onto, out);
  await using lock = await lockFolder(out);
  await using model = await loadBase(pickGiven(checked, placeJobSchema.shape), context);
  await using recipe = await openPlace(model, adapter, pickGiven(options, placeJobSchema.shape), photographs);
  const { writer, failed, seconds } = await writePairs(recipe, { out: lock, count, resume }, context);
  return { out: writer.folder, pairs: writer.kept.length, failed, seconds };
}

import { lockFolder } from '../core/write-lock.js';
import { checkOptions } from '../options/check.js';
import type { GenerateJobOptions } from '../options/generated.js';
import { generateSchema } from '../options/jobs.js';
import { openNoise } from '../recipes/noise.js';
import { pickGiven } from '../recipes/recipe.js';
import { loadBase } from './base.js';
import type { JobContext } from './job.js';
import { keepRuleOf, requireRange, writePairs } from './write-pairs.js';

/** Holds the result of sampling from an adapter. */
export interface GenerateResult {
  /** This is the folder of the generated dataset. */
  out: string;
  /** This is the number of pairs in the dataset, without dropped ones. It includes those of earlier calls. */
  pairs: number;
  emptyMasks: number;
  /** This number of pairs was dropped by `keepBest`. */
  dropped: number;
  seconds: number;
}

/**
 * Samples pairs with masks from an adapter and writes them to `out` as a dataset. With `resume` it keeps existing pairs
 * and makes the others.
 *
 * Throws the errors of `DualAnoDiff.load` and `DualAnoDiff.generate`, ERR_DATASET_INVALID if `out` holds
 * pairs of other settings, and ERR_BUSY if another process writes to it.
 */
export async function generate(options: GenerateJobOptions, context: JobContext = {}): Promise<GenerateResult> {
  const checked = checkOptions(generateSchema, options);
  const { adapter, out, count, range, mask, resume } = checked;
  const keepBest = keepRuleOf(checked.keepBest, mask); // Wrong options must fail before the model is loaded.
  requireRange(range, count);
  await using lock = await lockFolder(out); // A folder that another process writes to must fail early, too.
  await using model = await loadBase(pickGiven(checked, generateSchema.shape), context);
  await using recipe = await openNoise(model, adapter, { ...pickGiven(options, generateSchema.shape), count });
  const { writer, emptyMasks, dropped, seconds } = await writePairs(
    recipe,
    { out: lock, count, range, keepBest, resume },
    context,
  );
  return { out: writer.folder, pairs: writer.kept.length, emptyMasks, dropped, seconds };
}

import { lockFolder } from '../core/write-lock.js';
import { checkOptions } from '../options/check.js';
import type { GenerateJobOptions } from '../options/generated.js';
import { generateSchema } from '../options/jobs.js';
import { openNoise } from '../recipes/noise.js';
import { pickGiven } from '../recipes/recipe.js';
import { loadBase } from './base.js';
import type { JobContext } from './job.js';
import { keepRuleOf, writePairs } from './write-pairs.js';

/** What sampling from an adapter came to. */
export interface GenerateResult {
  /** Folder of the generated dataset. */
  out: string;
  /** Pairs that count, those of earlier calls included. */
  pairs: number;
  emptyMasks: number;
  /** Pairs that `keepBest` dropped. */
  dropped: number;
  seconds: number;
}

/**
 * Samples pairs with masks from an adapter and writes them to `out` as a dataset. With `resume` it keeps the pairs that
 * are there and makes the others.
 *
 * Throws what {@link DualAnoDiff.load} and {@link DualAnoDiff.generate} throw; ERR_DATASET_INVALID where `out` holds
 * pairs of other settings, ERR_BUSY where another process writes to it.
 */
export async function generate(options: GenerateJobOptions, context: JobContext = {}): Promise<GenerateResult> {
  const checked = checkOptions(generateSchema, options);
  const { adapter, out, count, mask, resume } = checked;
  const keepBest = keepRuleOf(checked.keepBest, mask); // Wrong options are an error before the model is read.
  await using lock = await lockFolder(out); // So is a folder that another process writes to.
  await using model = await loadBase(pickGiven(checked, generateSchema.shape), context);
  await using recipe = await openNoise(model, adapter, pickGiven(options, generateSchema.shape));
  const { writer, emptyMasks, dropped, seconds } = await writePairs(
    recipe,
    { out: lock, count, keepBest, resume },
    context,
  );
  return { out: writer.folder, pairs: writer.kept.length, emptyMasks, dropped, seconds };
}

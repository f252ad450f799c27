import { join } from 'node:path';
import type { z } from 'zod';
import { DualAnoDiffError } from '../core/errors.js';
import { lockFolder, type WriteLock } from '../core/write-lock.js';
import type { ImageSource } from '../dataset/image-source.js';
import { type MissedDefect, readMissedDefects } from '../dataset/missed-defect.js';
import { photographsOf, refuseOutInside } from '../dataset/photograph.js';
import { openRegions } from '../dataset/place-region.js';
import { Adapter } from '../model/adapter.js';
import type { DualAnoDiff } from '../model/dualanodiff.js';
import { missedTypes, requireLearned } from '../model/place/missed-places.js';
import { refuseLikeWithPlace } from '../model/placer.js';
import { checkOptions } from '../options/check.js';
import type { PlaceJobOptions } from '../options/generated.js';
import { placeJobSchema } from '../options/jobs.js';
import { openPlace } from '../recipes/place.js';
import { pickGiven } from '../recipes/recipe.js';
import { loadBase } from './base.js';
import { type JobContext, warnOf } from './job.js';
import { requireRange, writePairs } from './write-pairs.js';

/** Holds the result of placing defects in photographs. */
export interface PlaceResult {
  /** This is the folder of the generated dataset, or with `like` and without `type`, the folder that holds them. */
  out: string;
  /** These are the folders of pairs, one for each type. */
  datasets: string[];
  /** This is the number of pairs in the datasets. It includes those of earlier calls. */
  pairs: number;
  /** This number of pairs was left out, because their defects stayed invisible. */
  failed: number;
  seconds: number;
}

/** The pairs of one type, and where they are written. */
interface TypeToPlace {
  /** Undefined for the only type of the adapter. */
  type: string | undefined;
  out: string | WriteLock;
}

type Checked = z.output<typeof placeJobSchema>;

/** Throws for wrong paths, before the model is loaded. */
async function readInputs({ onto, out, where, whereNot, like }: Checked) {
  refuseLikeWithPlace(like, where);
  const photographs = await photographsOf(onto);
  if (where !== 'auto') await openRegions('where', where, photographs);
  if (whereNot !== undefined) await openRegions('whereNot', whereNot, photographs);
  const missed = like === undefined ? undefined : await readMissedDefects(like);
  await refuseOutInside(onto, out);
  return { photographs, missed };
}

/** Returns what is placed in one call: one type, or each type of the missed defects in a folder of its own. */
function typesToPlace(
  { type, out }: Checked,
  missed: readonly MissedDefect[] | undefined,
  lock: WriteLock,
): TypeToPlace[] {
  if (missed === undefined || type !== undefined) return [{ type, out: lock }];
  return missedTypes(missed).map((one) => ({ type: one, out: join(out, one, 'dataset') }));
}

async function placeType(
  model: DualAnoDiff,
  adapter: Adapter,
  { type, out }: TypeToPlace,
  options: PlaceJobOptions,
  photographs: readonly ImageSource[],
  context: JobContext,
) {
  const { count, range, resume } = checkOptions(placeJobSchema, options);
  const settings = { ...pickGiven(options, placeJobSchema.shape), ...(type !== undefined && { type }) };
  await using recipe = await openPlace(model, adapter, settings, photographs);
  return await writePairs(recipe, { out, count, range, resume }, context);
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
  requireRange(checked.range, checked.count);
  const { photographs, missed } = await readInputs(checked);
  await using lock = await lockFolder(checked.out);
  await using model = await loadBase(pickGiven(checked, placeJobSchema.shape), context);
  await using adapter = await Adapter.load(checked.adapter);
  if (missed && checked.type === undefined) requireLearned(missed, adapter.info.types);
  const result: PlaceResult = { out: lock.place, datasets: [], pairs: 0, failed: 0, seconds: 0 };
  let nothing: DualAnoDiffError | undefined;
  for (const one of typesToPlace(checked, missed, lock)) {
    try {
      const { writer, failed, seconds } = await placeType(model, adapter, one, options, photographs, context);
      result.datasets.push(writer.folder);
      result.pairs += writer.kept.length;
      result.failed += failed;
      result.seconds += seconds;
    } catch (error) {
      // A type without a visible defect must not keep the others from being drawn.
      if (!(error instanceof DualAnoDiffError && error.code === 'ERR_NO_PAIRS')) throw error;
      nothing = error;
      result.failed += checked.count;
      warnOf(error.message, context);
    }
  }
  if (nothing && result.datasets.length === 0) throw nothing;
  return result;
}

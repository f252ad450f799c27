import { DualAnoDiff } from '../model/dualanodiff.js';
import { loadOptions } from '../options/base.js';
import type { LoadSettings } from '../options/generated.js';
import { pickGiven } from '../recipes/recipe.js';
import { type JobContext, warnOf } from './job.js';

/** Loads the base that a job's options name, or the embedded one. */
export async function loadBase(
  options: LoadSettings & { base?: string | undefined },
  context: JobContext,
): Promise<DualAnoDiff> {
  const { signal, load = DualAnoDiff.load } = context;
  const model = await load(options.base, { ...pickGiven(options, loadOptions), ...(signal && { signal }) });
  const { deviceNotice } = model.info;
  if (deviceNotice) warnOf(`The GPU of this machine cannot be used, so the CPU works: ${deviceNotice}`, context);
  return model;
}

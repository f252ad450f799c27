/** Estimates the time and memory of training and sampling on a CPU, from the figures of docs/speed.md. */
import { totalmem } from 'node:os';
import { embedded } from '../core/paths.js';
import { defaultThreads } from '../core/threads.js';
import { type BaseDefaults, readBaseDefaults } from '../model/base-defaults.js';
import { checkValue } from '../options/check.js';
import type { JobKind } from '../options/jobs.js';
import { batchSize } from '../options/sampling.js';

/** An estimate for one type on this machine. It may be wrong by a factor of two. */
export interface Estimate {
  /** Seconds of training with the steps of the base. */
  trainSeconds: number;
  /** Seconds of one pair with the steps of the base. */
  pairSeconds: number;
  /** Bytes of memory that training needs. */
  memoryBytes: number;
  /** Bytes of memory that this process may use. */
  machineBytes: number;
  /** The number of threads that work. */
  threads: number;
}

/** The costs of a base at one resolution, measured on two threads with AVX2. */
interface Costs {
  resolution: number;
  /** Seconds of a training step for each pair of the batch. */
  trainStep: number;
  /** Seconds of a step of sampling one pair with guidance. */
  sampleStep: number;
  /** Bytes that do not depend on the batch, and bytes for each pair of the batch. */
  fixedBytes: number;
  pairBytes: number;
  /** The same with gradient checkpointing, and for sampling with guidance. */
  checkpointing: { fixedBytes: number; pairBytes: number };
  sampling: { fixedBytes: number; pairBytes: number };
}

const GB = 1e9;
const EMBEDDED: Costs = {
  ...{ resolution: 128, trainStep: 0.15, sampleStep: 0.06 },
  ...{ fixedBytes: 0.45 * GB, pairBytes: 0.07 * GB },
  checkpointing: { fixedBytes: 0.45 * GB, pairBytes: 0.07 * GB },
  sampling: { fixedBytes: 0.45 * GB, pairBytes: 0.07 * GB },
};
const STABLE_DIFFUSION: Costs = {
  ...{ resolution: 512, trainStep: 28, sampleStep: 19 },
  ...{ fixedBytes: 3.7 * GB, pairBytes: 2.8 * GB },
  checkpointing: { fixedBytes: 3.4 * GB, pairBytes: 1.0 * GB },
  sampling: { fixedBytes: 2.0 * GB, pairBytes: 1.8 * GB },
};
/** The figures are those of two threads. */
const MEASURED_THREADS = 2;
/** More threads than this hardly help. */
const MAX_THREADS = 16;

/** Estimates for the embedded base, or for a base of the size of Stable Diffusion 1.5. */
export function estimate(defaults: BaseDefaults, resolution: number, isEmbedded: boolean): Estimate {
  const costs = isEmbedded ? EMBEDDED : STABLE_DIFFUSION;
  const { steps, batchSize } = defaults.training;
  const area = (resolution / costs.resolution) ** 2;
  const threads = defaultThreads();
  const factor = (area * MEASURED_THREADS) / Math.min(threads, MAX_THREADS);
  return {
    trainSeconds: steps * batchSize * costs.trainStep * factor,
    pairSeconds: defaults.sampling.steps * costs.sampleStep * factor,
    memoryBytes: costs.fixedBytes + batchSize * costs.pairBytes * area,
    machineBytes: memoryOfProcess(),
    threads,
  };
}

const isList = (value: unknown): value is unknown[] => Array.isArray(value);

/** Jobs of these kinds train or sample. All others need little memory beside their images. */
const SAMPLING = ['generate', 'place'];

/**
 * Estimates the bytes of memory that a job needs on a CPU. Returns 0 for jobs that need little. `base` is the folder or
 * file of the base. A campaign whose work `isDivided` trains and samples in other jobs, unless it shares backgrounds among
 * its pairs. Throws ERR_MODEL_INVALID for a base whose settings cannot be read.
 */
export function memoryOfJob(
  kind: JobKind,
  options: Readonly<Record<string, unknown>>,
  base?: string,
  { isDivided = true } = {},
): number {
  const { recipe, recipes, ablations, background, gradientCheckpointing } = options;
  const isWhole = !isDivided || (background !== undefined && background !== 'off');
  const trains =
    kind === 'learn' ||
    (kind === 'campaign' && recipe !== 'augment' && isWhole) ||
    (kind === 'evaluate' && isList(recipes) && recipes.some((one) => one !== 'augment')) ||
    (kind === 'evaluate' && isList(ablations) && ablations.length > 0);
  if (!trains && !SAMPLING.includes(kind)) return 0;
  const costs = base === undefined ? EMBEDDED : STABLE_DIFFUSION;
  const { training } = readBaseDefaults(base ?? embedded.base);
  const numberOf = (value: unknown, otherwise: number) => (typeof value === 'number' ? value : otherwise);
  const area = (numberOf(options.resolution, training.resolution) / costs.resolution) ** 2;
  if (!trains) {
    const pairs = checkValue('batchSize', batchSize, options.batchSize);
    return costs.sampling.fixedBytes + pairs * costs.sampling.pairBytes * area;
  }
  const pairs = numberOf(kind === 'learn' ? options.batchSize : options.trainBatchSize, training.batchSize);
  const { fixedBytes, pairBytes } = gradientCheckpointing === true ? costs.checkpointing : costs;
  return fixedBytes + pairs * pairBytes * area;
}

/** Returns the bytes of memory of the machine, or the limit that a container sets. */
export function memoryOfProcess(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}

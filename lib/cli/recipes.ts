/** Ways of making pairs that `evaluate --generate` judges. */

import { pathInside } from '../core/path-inside.js';
import type { Dataset } from '../dataset/dataset.js';
import type { Split } from '../evaluate/split.js';
import type { DualAnoDiff } from '../model/dualanodiff.js';
import { given } from '../options/check.js';
import { DEFAULT_RUN_FLAGS, type RunFlags, runType } from './run-type.js';
import type { Context } from './runner.js';

/** Variations of real pairs: what a small base and a handful of images are good for. */
const VARIATIONS = {
  fit: 'stretch',
  partFill: 'auto',
  vary: 0.3,
  scheduler: 'ddim',
  mask: ['layout', 'threshold'],
  sampleSteps: 10,
} satisfies Partial<RunFlags>;

type Defaults = DualAnoDiff['defaults'];

/** Keeps the names, and widens the rest. */
const recipes = <Name extends string>(made: Record<Name, (defaults: Defaults) => Partial<RunFlags>>) => made;

/** Each recipe with what it changes of `run`'s flags for a base. Those behind `noise` are the paper's ablations. */
export const RECIPES = recipes({
  variations: () => VARIATIONS,
  /** Without the model, which is not trained either: what it adds can be told. */
  layouts: () => ({ ...VARIATIONS, vary: 0, steps: 1 }),
  /** Crop&Paste's defects, pasted at more pixels than what learns from them has. */
  pasted: () => ({ ...VARIATIONS, vary: 0, steps: 1, pasteShare: 1 }),
  /**
   * Three quarters pasted and turned; of the others, small ones in their own pictures, large ones moved and at more
   * contrast: without, detectors missed small ones where more images trained. In light and exposures that vary. The
   * README has figures for it, and for others.
   */
  mixed: () => ({
    ...{ ...VARIATIONS, vary: 0, steps: 1 },
    ...{ ownShare: 0, pasteShare: 0.75, pasteTurns: true, lightSpread: 0.1, exposureSpread: 0.23, movedContrast: 1.5 },
  }),
  /** The paper's way, from noise. */
  noise: () => ({ fit: 'stretch', partFill: 'auto', scheduler: 'dpmsolver++', mask: ['threshold'], sampleSteps: 20 }),
  /** The anomaly branch has the prompt of the whole image. */
  'one-prompt': ({ globalPrompt }) => ({ ...VARIATIONS, anomalyPrompt: globalPrompt }),
  'no-saim': () => ({ ...VARIATIONS, branches: 'separate' }),
  'one-branch': () => ({ ...VARIATIONS, branches: 'one' }),
  background: () => ({ ...VARIATIONS, background: 'add', foregroundMasks: 'none' }),
});

/**
 * Variations are at least so much larger than what learns from them, or resizing a photograph twice blurs it: at twice
 * the size its finest grain is 8 % weaker than in photographs that are resized once.
 */
const DETAIL = 3;

export type RecipeName = keyof typeof RECIPES;
export const recipeNames = Object.keys(RECIPES) as RecipeName[];

export interface Recipe {
  name: RecipeName;
  /** Pairs of each type. */
  count: number;
  /** Of their adapters; undefined: as the recipe says. */
  trainSteps: number | undefined;
  /**
   * Of the first type; each next one has the next, or the same light and places would come again with every type. Set k of
   * several goes on where set k - 1 ended.
   */
  seed: number;
  /** Which of several sets of pairs; 0 for the only one. */
  set: number;
  /** Pixels along each side of what is to learn from them; a base that works at more makes them larger. */
  side: number;
  device: string;
}

/**
 * Makes a recipe's pairs of every type of a split in `out`, from the images that train there. Goes on where an earlier
 * process was cut off.
 */
export async function generate(
  model: DualAnoDiff,
  dataset: Dataset,
  { training, share }: Split,
  { name, count, trainSteps, seed, set, side, device }: Recipe,
  out: string,
  context: Context,
): Promise<void> {
  const chosen = RECIPES[name](model.defaults);
  const resolution = Math.max(side, model.defaults.resolution);
  const varyResolution = Math.ceil((DETAIL * side) / resolution) * resolution;
  const flags: RunFlags = {
    ...{ ...DEFAULT_RUN_FLAGS, ...given({ steps: trainSteps }), ...chosen },
    ...{ resolution, ...(chosen.vary !== undefined && { varyResolution }) },
    ...{ count, device, trainImages: String(share), resume: true },
  };
  for (const [position, type] of [...training.keys()].entries()) {
    await runType(model, dataset, type, out, { ...flags, seed: seed + set * training.size + position }, context);
  }
}

/** Where a recipe's pairs are kept below an evaluation's folder: those of all seeds, or of one. */
export const recipeFolder = (out: string, name: RecipeName, seed?: number): string =>
  pathInside(out, 'generated', name, ...(seed === undefined ? [] : [`seed${seed}`]));

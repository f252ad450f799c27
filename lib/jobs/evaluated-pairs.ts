/** Makes the pairs of recipes for an evaluation, from the training images only. */
import { resolve } from 'node:path';
import type { z } from 'zod';
import { pathInside } from '../core/path-inside.js';
import type { Dataset } from '../dataset/dataset.js';
import type { Split } from '../evaluate/split.js';
import type { DualAnoDiff } from '../model/dualanodiff.js';
import { baseOptions } from '../options/base.js';
import type { TrainerOptions } from '../options/generated.js';
import type { evaluateSchema } from '../options/jobs.js';
import type { AblationName, RecipeName } from '../options/names.js';
import type { NoiseOptions } from '../recipes/noise.js';
import { pickGiven } from '../recipes/recipe.js';
import { loadBase } from './base.js';
import type { JobContext } from './job.js';
import { runType, type TypeSettings } from './run-type.js';

type Options = z.output<typeof evaluateSchema>;

/**
 * Augmented pairs are this many times larger than the images that a detector sees, because resizing a photograph twice
 * blurs it. Even at twice the size, its finest grain is 8 % weaker than in photographs that are resized once.
 */
const AUGMENT_SCALE = 3;

/** Each of the paper's ablations changes these settings of the recipe noise. */
const ABLATIONS: Record<
  AblationName,
  (model: DualAnoDiff) => { training?: Partial<TrainerOptions>; sampling?: NoiseOptions }
> = {
  // The anomaly branch gets the prompt of the whole image.
  'one-prompt': ({ defaults }) => ({ training: { anomalyPrompt: defaults.training.globalPrompt } }),
  'no-saim': () => ({ training: { branches: 'separate' } }),
  // An adapter with one branch draws no parts, so the salient object of the whole image is the mask.
  'one-branch': () => ({ training: { branches: 'one' }, sampling: { mask: ['u2net'] } }),
  background: () => ({ training: { background: 'add', foregroundMasks: 'none' } }),
};

/** Returns the settings of a recipe. Images are stretched, as for detectors, so that no defect is cut off. */
function settingsOf(
  name: RecipeName | AblationName,
  model: DualAnoDiff | undefined,
  { count, trainSteps }: Options,
  { share }: Split,
  side: number,
  seed: number,
): TypeSettings {
  const common = { fit: 'stretch', partFill: 'auto', trainImages: share, seed } as const;
  if (!model) {
    const training = { ...common, resolution: AUGMENT_SCALE * side };
    return { recipe: 'augment', count, training, sampling: {}, resume: true };
  }
  const { training, sampling } = name in ABLATIONS ? ABLATIONS[name as AblationName](model) : {};
  const resolution = Math.max(side, model.defaults.training.resolution);
  return {
    ...{ recipe: 'noise', count, trainSteps, resume: true },
    training: { ...common, resolution, ...training },
    sampling: { seed, ...sampling },
  };
}

/**
 * Makes the pairs of every recipe and ablation and returns their folders by name. With `freshPairs` each seed has its
 * own folder. It continues the work of an earlier call that was interrupted.
 */
export async function makePairs(
  options: Options,
  dataset: Dataset,
  split: Split,
  side: number,
  context: JobContext,
): Promise<Record<string, string[]>> {
  const { recipes, ablations, freshPairs, seeds, seed: firstSeed } = options;
  const names = [...recipes, ...ablations];
  const needsModel = names.some((name) => name !== 'augment');
  await using model = needsModel ? await loadBase(pickGiven(options, baseOptions), context) : undefined;
  const types = [...split.training.keys()];
  const folders: Record<string, string[]> = {};
  for (const name of names) {
    const sets = freshPairs ? Array.from({ length: seeds }, (_, index) => firstSeed + index) : [undefined];
    folders[name] = [];
    for (const set of sets) {
      const folder = pathInside(resolve(options.out), 'pairs', name, ...(set === undefined ? [] : [`seed${set}`]));
      for (const [position, type] of types.entries()) {
        // Each type and set has its own seed, because the same seed would repeat places and light for every type.
        const seed = (set ?? 0) * types.length + position;
        const needed = name === 'augment' ? undefined : model;
        await runType(needed, dataset, type, folder, settingsOf(name, needed, options, split, side, seed), context);
      }
      folders[name].push(folder);
    }
  }
  return folders;
}

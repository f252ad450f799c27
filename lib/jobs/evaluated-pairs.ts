/** Makes the pairs of recipes for an evaluation, from the training images only. */
import { resolve } from 'node:path';
import type { z } from 'zod';
import { pathInside } from '../core/path-inside.js';
import type { Dataset } from '../dataset/dataset.js';
import type { Evaluator } from '../evaluate/evaluator.js';
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
import { type SquareSettings, squaresOf } from './pair-squares.js';
import { runType, type TypeSettings } from './run-type.js';

type Options = z.output<typeof evaluateSchema>;

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

/** Returns the settings of a recipe or an ablation. */
function settingsOf(
  name: RecipeName | AblationName,
  model: DualAnoDiff | undefined,
  { count, trainSteps }: Options,
  squares: Record<RecipeName, SquareSettings>,
  seed: number,
): TypeSettings {
  const isAblation = name in ABLATIONS;
  const recipe = isAblation ? 'noise' : (name as RecipeName);
  const { training, sampling } = isAblation && model ? ABLATIONS[name as AblationName](model) : {};
  return {
    ...{ recipe, count, trainSteps, resume: true },
    training: { ...squares[recipe], partFill: 'auto', trainImages: 'all', seed, ...training },
    sampling: { seed, ...sampling },
  };
}

/** A set of pairs: its subfolder, its seed, and the real images that it may know. */
interface PairSet {
  folder: string[];
  seed: number;
  training: Split['training'];
}

/** Returns one set for all seeds, one for each seed, or one for each number of shots and each of its seeds. */
function pairSets({ freshPairs, seeds, seed: first, shots }: Options, evaluator: Evaluator): PairSet[] {
  const all = Array.from({ length: seeds }, (_, index) => first + index);
  if (shots !== undefined) {
    return shots.flatMap((count) =>
      all.map((seed) => ({
        ...{ folder: [`shots${count}`, `seed${seed}`], seed, training: evaluator.trainingOf(seed, count) },
      })),
    );
  }
  const { training } = evaluator.split;
  return freshPairs
    ? all.map((seed) => ({ folder: [`seed${seed}`], seed, training }))
    : [{ folder: [], seed: 0, training }];
}

/**
 * Makes the pairs of every recipe and ablation and returns their folders by name. With `freshPairs` each seed has its
 * own folder, and with `shots` each seed of each number has. The work of an earlier call that was interrupted is
 * continued.
 */
export async function makePairs(
  options: Options,
  dataset: Dataset,
  evaluator: Evaluator,
  context: JobContext,
): Promise<Record<string, string[]>> {
  const names = [...options.recipes, ...options.ablations];
  const needsModel = names.some((name) => name !== 'augment');
  await using model = needsModel ? await loadBase(pickGiven(options, baseOptions), context) : undefined;
  const squares = await squaresOf(evaluator, model);
  const folders: Record<string, string[]> = {};
  for (const name of names) {
    folders[name] = [];
    for (const set of pairSets(options, evaluator)) {
      const folder = pathInside(resolve(options.out), 'pairs', name, ...set.folder);
      const known = dataset.restrictedTo(set.training, evaluator.split.trainingGood);
      for (const [position, type] of known.types.entries()) {
        // Each type and set has its own seed, because the same seed would repeat places and light for every type.
        const seed = set.seed * known.types.length + position;
        const needed = name === 'augment' ? undefined : model;
        const settings = settingsOf(name, needed, options, squares, seed);
        await runType(needed, known, type, folder, settings, context);
      }
      folders[name].push(folder);
    }
  }
  return folders;
}

/** Runs all types of one or many categories in turn. A type that fails is recorded, and the others still run. */
import { basename, join, resolve } from 'node:path';
import { AbortedError, InvalidOptionError } from '../core/errors.js';
import { removePartialFiles } from '../core/partial-files.js';
import { pathInside } from '../core/path-inside.js';
import { lockFolder } from '../core/write-lock.js';
import { Dataset } from '../dataset/dataset.js';
import { checkOptions, given } from '../options/check.js';
import type { CampaignJobOptions } from '../options/generated.js';
import { campaignSchema } from '../options/jobs.js';
import { maskOptions } from '../options/masks.js';
import type { RecipeName } from '../options/names.js';
import { samplingOptions } from '../options/sampling.js';
import { trainingOptions } from '../options/training.js';
import { pickGiven } from '../recipes/recipe.js';
import { loadBase } from './base.js';
import { type CampaignFailure, failureOf, nameOfFailure } from './failure.js';
import { type JobContext, warnOf } from './job.js';
import { runType, type TypeSettings } from './run-type.js';
import { type CampaignType, SUMMARY, writeSummary } from './summary.js';
import { keepRuleOf } from './write-pairs.js';

export interface CampaignResult {
  /** All results are below this folder. */
  out: string;
  types: CampaignType[];
  failures: CampaignFailure[];
}

/** Holds one type of one category, and the folder for the results of the category. */
interface Member {
  dataset: Dataset;
  type: string;
  out: string;
}

/**
 * Opens the categories of a folder. A category that cannot be opened, or that lacks the type, is recorded as a failure.
 * Throws the first error if no category can be opened. `isOne` tells that the path is itself a category.
 */
async function openCategories(data: string, type: string | undefined) {
  const categories: Dataset[] = [];
  const failures: CampaignFailure[] = [];
  let first: unknown;
  const folders = await Dataset.categoriesIn(data);
  for (const folder of folders) {
    try {
      const dataset = await Dataset.open(folder);
      if (type !== undefined) await dataset.examples(type);
      categories.push(dataset);
    } catch (error) {
      first ??= error;
      failures.push(failureOf({ category: basename(folder), ...given({ type }) }, error));
    }
  }
  if (categories.length === 0) throw first;
  return { categories, failures, isOne: folders[0] === resolve(data) };
}

function membersOf(categories: readonly Dataset[], isOne: boolean, type: string | undefined, out: string): Member[] {
  const members = categories.flatMap((dataset) =>
    (type === undefined ? dataset.types : [type]).map((one) => ({
      ...{ dataset, type: one },
      out: isOne ? out : pathInside(out, dataset.category),
    })),
  );
  const inTheWay = members.find((member) => [member.out, join(member.out, member.type)].includes(join(out, SUMMARY)));
  if (inTheWay) {
    throw new InvalidOptionError(
      `${out} is the folder for ${SUMMARY}, so a type or category cannot have this name: rename it`,
    );
  }
  return members;
}

/** Returns the settings that all types share. */
function settingsOf(options: ReturnType<typeof checkCampaign>, chosen: CampaignJobOptions): TypeSettings {
  const { recipe, count, trainSteps, trainBatchSize, keepBest, resume, mask } = options;
  // Sampling takes its prompts from the adapter, which was trained with the prompts of these options. What is not chosen
  // is left out, because a preset or the base decides it.
  const { globalPrompt: _, anomalyPrompt: __, ...sampling } = pickGiven(chosen, { ...samplingOptions, ...maskOptions });
  // This batch size is that of sampling, and a type is trained for the recipe of the campaign.
  const { batchSize: ___, recipe: ____, ...training } = pickGiven(chosen, trainingOptions);
  return {
    ...{ recipe, count, trainSteps, resume },
    training: {
      ...training,
      ...{ fit: options.fit, seed: options.seed, trainImages: ALL_IMAGES },
      ...given({ batchSize: trainBatchSize }),
    } as TypeSettings['training'],
    sampling,
    keepBest: keepRuleOf(keepBest, mask),
  };
}

/** A campaign tests nothing, so it trains on all images. */
const ALL_IMAGES = 'all';

const checkCampaign = (options: CampaignJobOptions) => checkOptions(campaignSchema, options);

/** Adds the category to the progress of its types. */
function inCategory(category: string, { signal, onEvent }: JobContext): JobContext {
  return { signal, onEvent: (event) => onEvent?.(event.event === 'progress' ? { ...event, category } : event) };
}

/** Refuses options that the recipe does not read, because they would have no effect. */
function refuseUnread(recipe: RecipeName, options: CampaignJobOptions): void {
  const readByAugment = ['data', 'type', 'out', 'recipe', 'count', 'resume', 'resolution', 'fit', 'seed'];
  const unreadByPlace = ['preset', 'mask', 'maskWeights', 'keepBest'];
  const names = Object.keys(given(options));
  const refuse = (name: string | undefined, why: string) => {
    if (name === undefined) return;
    throw new InvalidOptionError(`The recipe ${recipe} ${why}, so it does not use ${name}: leave it out`);
  };
  if (recipe === 'augment')
    refuse(
      names.find((name) => !readByAugment.includes(name)),
      'has no model',
    );
  if (recipe === 'place')
    refuse(
      names.find((name) => unreadByPlace.includes(name)),
      'finds and judges masks itself',
    );
}

/**
 * Trains, samples, masks and reports one type, every type of a category, or every category of a folder, below `out`. It
 * writes `summary.json` after each type, so that an interrupted campaign has one, too. With `resume` it skips finished
 * work.
 *
 * With one type, its error is thrown. With several, errors are collected in `failures`. An abort ends the campaign.
 */
export async function campaign(options: CampaignJobOptions, context: JobContext = {}): Promise<CampaignResult> {
  const checked = checkCampaign(options);
  const { data, type, recipe, mask, keepBest } = checked;
  refuseUnread(recipe, options);
  keepRuleOf(keepBest, mask); // Training takes hours, so wrong options must fail before it.
  const { categories, failures, isOne } = await openCategories(data, type);
  const name = isOne ? (categories[0] as Dataset).category : basename(resolve(data));
  const out = resolve(checked.out ?? `out/${name}`);
  const members = membersOf(categories, isOne, type, out);
  await using _lock = await lockFolder(out);
  await removePartialFiles(out, (name) => name === SUMMARY);
  await using model =
    recipe === 'augment' ? undefined : await loadBase(pickGiven(checked, campaignSchema.shape), context);
  const settings = settingsOf(checked, options);
  const result: CampaignResult = { out, types: [], failures };
  const isAlone = members.length + failures.length === 1;
  for (const failure of failures) warnOf(describeFailure(failure), context);
  for (const member of members) {
    const { category } = member.dataset;
    try {
      const made = await runType(
        model,
        member.dataset,
        member.type,
        member.out,
        settings,
        inCategory(category, context),
      );
      result.types.push({ category, ...made });
    } catch (error) {
      if (isAlone || error instanceof AbortedError || context.signal?.aborted) throw error;
      const failure = failureOf({ category, type: member.type }, error);
      failures.push(failure);
      warnOf(describeFailure(failure), context);
    }
    await writeSummary(out, result);
  }
  return result;
}

const describeFailure = (failure: CampaignFailure) => `${nameOfFailure(failure)}: ${failure.message} (${failure.code})`;

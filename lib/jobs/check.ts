/** Looks at data before hours are spent on it: what is there, what is wrong, and what training would make of it. */
import { basename, resolve } from 'node:path';
import { embedded } from '../core/paths.js';
import { Dataset } from '../dataset/dataset.js';
import {
  categoryOf,
  type DatasetImage,
  holdsPairs,
  imagesOfDataset,
  imagesOfPairs,
} from '../dataset/dataset-images.js';
import { Faults } from '../dataset/faults.js';
import { doublesAmong } from '../dataset/fingerprint.js';
import { type Problem, problemOf, type Survey, type SurveyedImage, surveyImages } from '../dataset/survey.js';
import { requireCrop } from '../dataset/training-images.js';
import { type BaseDefaults, readBaseDefaults } from '../model/base-defaults.js';
import { checkOptions } from '../options/check.js';
import { checkDataSchema } from '../options/check-data.js';
import type { CheckJobOptions } from '../options/generated.js';
import { throwIfAborted } from '../run-native.js';
import { describeType, type TypeCheck, type WindowSettings } from './check-type.js';
import { type Estimate, estimate } from './estimates.js';
import type { JobContext } from './job.js';
import { type Advice, adviseRecipe } from './recipe-advice.js';

/** Describes one category, or one folder of generated pairs. */
export interface CategoryCheck {
  category: string;
  path: string;
  /** `pairs` stands for generated pairs with their list, and `mvtec` for MVTec AD's layout. */
  format: string;
  /** The number of good images for training and for the test. */
  good: { train: number; test: number };
  types: TypeCheck[];
  /** The smallest and the largest width and height of the images, in pixels. They are absent without readable images. */
  sizes?: { width: [number, number]; height: [number, number] };
  /** The number of images of each kind of samples, such as `8-bit grey`. */
  depths: Record<string, number>;
  /** The number of images that are generated, by their records. `evaluate` does not test on them. */
  synthetic: number;
  /** The images that their EXIF orientation turns. */
  turned: string[];
  /** The images whose masks may be inverted, because they mark the whole border. */
  inverted: string[];
  /** Groups of images that show the same picture. */
  doubles: string[][];
  /** The recipe that suits the data. It is absent for generated pairs. */
  recipe?: Advice;
  /** What is wrong, in the words of the command that fails on it. */
  problems: Problem[];
}

/** Holds what a check has found. */
export interface CheckResult {
  categories: CategoryCheck[];
  /** The resolution of the model in pixels. */
  resolution: number;
  /** The time and memory that one type takes on this machine. */
  estimate: Estimate;
  /** The number of problems of all categories. */
  problems: number;
}

/** What was listed of a category, with the errors of what could not be listed. */
interface Listed {
  format: string;
  images: DatasetImage[];
  problems: Problem[];
}

async function listCategory(path: string): Promise<Listed> {
  const faults = Faults.keep();
  const listed = await faults.attempt(async () => {
    if (await holdsPairs(path)) return { format: 'pairs', images: await imagesOfPairs(path) };
    const dataset = await Dataset.openWithFaults(path, faults);
    const { format = 'unknown' } = dataset;
    return { format, images: await imagesOfDataset(dataset, (error) => faults.add(error)) };
  });
  return { format: 'unknown', images: [], ...listed, problems: faults.found.map(problemOf) };
}

const rangeOf = (values: readonly number[]): [number, number] =>
  values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, 0],
  );

function countDepths(images: readonly SurveyedImage[]): Record<string, number> {
  const depths: Record<string, number> = {};
  for (const { depth } of images) depths[depth] = (depths[depth] ?? 0) + 1;
  return depths;
}

async function describeCategory(
  path: string,
  listed: Listed,
  { images, problems }: Survey,
  settings: WindowSettings,
): Promise<CategoryCheck> {
  const isGood = (test: boolean) => images.filter((one) => one.isGood && (one.origin === 'test') === test).length;
  const good = { train: isGood(false), test: isGood(true) };
  const names = [...new Set(listed.images.flatMap(({ defects }) => defects.map(({ type }) => type)))].sort();
  const types: TypeCheck[] = [];
  for (const name of names) types.push(await describeType(name, listed.images, images, settings));
  const doubles = await doublesAmong(images.map(({ fingerprint }) => fingerprint));
  const sourceOf = (index: number) => (images[index] as SurveyedImage).source;
  return {
    ...{ category: categoryOf(path), path, format: listed.format, good, types },
    ...(images.length > 0 && {
      sizes: { width: rangeOf(images.map(({ width }) => width)), height: rangeOf(images.map(({ height }) => height)) },
    }),
    depths: countDepths(images),
    synthetic: listed.images.filter(({ record }) => record).length,
    turned: images.filter(({ orientation }) => orientation > 1).map(({ source }) => source),
    inverted: images.filter(({ masks }) => masks.some((mask) => mask.mayBeInverted)).map(({ source }) => source),
    doubles: doubles.map((group) => group.map(sourceOf)),
    ...(listed.format !== 'pairs' && types.length > 0 && { recipe: adviseRecipe(good.train, types) }),
    problems: [...listed.problems, ...problems],
  };
}

/** Returns the settings of the base that training would use. */
const defaultsOf = (base: string | undefined): BaseDefaults => readBaseDefaults(base ?? embedded.base);

/**
 * Looks at all images and masks of one category, of every category in a folder, or of generated pairs. Problems are
 * collected with the messages of the commands that would fail on them. Each file is decoded once.
 *
 * Throws ERR_INVALID_OPTION, and ERR_FILE_ACCESS or ERR_MODEL_INVALID if the base cannot be read.
 */
export async function check(options: CheckJobOptions, context: JobContext = {}): Promise<CheckResult> {
  const { data, base, resolution: asked, window, fit } = checkOptions(checkDataSchema, options);
  const { signal, onEvent } = context;
  requireCrop(window, fit);
  const defaults = defaultsOf(base);
  const resolution = asked ?? defaults.training.resolution;
  const paths = (await holdsPairs(data)) ? [resolve(data)] : await Dataset.categoriesIn(data);
  const listed: { path: string; listed: Listed }[] = [];
  for (const path of paths) listed.push({ path, listed: await listCategory(path) });
  const total = listed.reduce((sum, one) => sum + one.listed.images.length, 0);
  const categories: CategoryCheck[] = [];
  let before = 0;
  for (const { path, listed: own } of listed) {
    const survey = await surveyImages(own.images, (done) => {
      throwIfAborted(signal);
      const more = paths.length > 1 && { category: basename(path) };
      onEvent?.({ event: 'progress', stage: 'check', unit: 'images', done: before + done, total, ...more });
    });
    before += own.images.length;
    categories.push(await describeCategory(path, own, survey, { window, resolution, fit }));
  }
  const problems = categories.reduce((sum, one) => sum + one.problems.length, 0);
  return { categories, resolution, estimate: estimate(defaults, resolution, base === undefined), problems };
}

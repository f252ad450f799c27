import { DatasetError } from '../core/errors.js';
import { warn } from '../core/warnings.js';
import { Dataset, type Example } from '../dataset/dataset.js';
import { recordsOf } from '../dataset/dataset-images.js';
import { someOf } from '../dataset/folders.js';
import { groupsOf } from '../dataset/groups.js';
import type { ImageSource } from '../dataset/image-source.js';
import { isInShare, parseShare, partsOf } from '../dataset/parts.js';
import { type Item, sourceOf, withoutOverlap } from './overlap.js';
import { refuseSummaryNames } from './summaries.js';

export const GOOD = 'good';

/** The real images for training and for the test. Images of defects are listed by type. */
export interface Split {
  training: ReadonlyMap<string, Example[]>;
  testing: ReadonlyMap<string, Example[]>;
  trainingGood: readonly ImageSource[];
  testingGood: readonly ImageSource[];
  /**
   * The number of test images that were left out because a training image shows the same part. It includes those with
   * the same pixels.
   */
  leftOut: number;
  /** The number of images that were left out of the test because they are generated, by their records. */
  synthetic: number;
  /** The group of each image, which is the same number for all images of one part. */
  groups: ReadonlyMap<ImageSource, number>;
}

/** Throws ERR_DATASET_INVALID if there are no good images. */
function requireGood(images: readonly ImageSource[], dataset: Dataset, purpose: 'train' | 'test'): void {
  if (images.length > 0) return;
  throw new DatasetError(
    `${dataset.label} has no good images to ${purpose} on: expected images in ${dataset.goodPlace(purpose)}`,
  );
}

/**
 * Returns the good images to train and to test on. Without good images for the test, a fraction such as `2/3` that the
 * user gives cuts the good images to train on like those of a type.
 */
async function splitGood(
  dataset: Dataset,
  tests: Dataset,
  trainImages: number | string | undefined,
  listed: () => Promise<Map<string, string>>,
): Promise<Pick<Split, 'trainingGood' | 'testingGood'>> {
  let trainingGood = await dataset.goodImages('train');
  let testingGood = await tests.goodImages('test');
  requireGood(trainingGood, dataset, 'train');
  if (testingGood.length === 0 && tests === dataset && trainImages !== undefined) {
    const share = parseShare(trainImages);
    const parts = share.parts === undefined ? [] : partsOf(await groupsOf(trainingGood, await listed()), share.parts);
    testingGood = trainingGood.filter((_, i) => parts[i] !== undefined && !isInShare(parts[i], share));
    trainingGood = trainingGood.filter((_, i) => parts[i] === undefined || isInShare(parts[i], share));
  }
  if (testingGood.length === 0 && tests === dataset && trainImages === undefined) {
    throw new DatasetError(
      `${tests.label} has no good images to test on: expected images in ${tests.goodPlace('test')}, or trainImages such as 1/3, which keeps some of ${dataset.goodPlace('train')} for the test`,
    );
  }
  requireGood(testingGood, tests, 'test');
  requireGood(trainingGood, dataset, 'train');
  return { trainingGood, testingGood };
}

/** Warns of types that only the training data or only the test data has, because they are left out of both. */
function warnOfOthers(dataset: Dataset, tests: Dataset, types: readonly string[]): void {
  for (const [from, other, purpose] of [
    [tests, dataset, 'not tested'],
    [dataset, tests, 'not trained on'],
  ] as const) {
    const alone = from.types.filter((type) => !types.includes(type));
    if (alone.length > 0) {
      warn(`Types of ${from.label} are ${purpose}, because ${other.label} lacks them: ${someOf(alone)}.`);
    }
  }
}

const onlySynthetic = ({ label }: Dataset, what: string) =>
  `${label} has no real ${what} to test on: all that are left for the test are generated, by their records`;

/**
 * Chooses the images for training and for the test. `trainImages` is the share of each type for training. It defaults
 * to a third, or to all if there is `testData`. The test uses `testData`, or the rest of `dataset`. Without good images
 * for the test, a given fraction cuts the good ones, too. Test images of a part that a training image shows are left
 * out, and so are generated ones. Throws ERR_DATASET_INVALID if images are missing.
 */
export async function splitOf(
  dataset: Dataset,
  { testData, trainImages }: { testData?: string | undefined; trainImages?: number | string | undefined },
): Promise<Split> {
  const tests = testData === undefined ? dataset : await Dataset.open(testData);
  const recordOf = await recordsOf(tests);
  const isGenerated = tests === dataset ? recordOf : await recordsOf(dataset);
  let synthetic = 0;
  const photographsAmong = <Kind extends Item>(images: readonly Kind[]): Kind[] => {
    const real = images.filter((one) => recordOf(sourceOf(one)) === undefined);
    synthetic += images.length - real.length;
    return real;
  };
  const types = dataset.types.filter((type) => tests.types.includes(type));
  if (types.length === 0) {
    throw new DatasetError(`${tests.label} has none of the defect types ${dataset.types.join(', ')}`);
  }
  refuseSummaryNames(types, dataset.label);
  warnOfOthers(dataset, tests, types);
  const listed = async () => new Map([...(await dataset.listedGroups()), ...(await tests.listedGroups())]);
  const good = await splitGood(dataset, tests, trainImages, listed);
  const testingGood = photographsAmong(good.testingGood);
  if (testingGood.length === 0) throw new DatasetError(onlySynthetic(tests, 'good images'));
  const share = trainImages ?? (testData === undefined ? '1/3' : '1/1');
  const training = new Map<string, Example[]>();
  const testing = new Map<string, Example[]>();
  for (const type of types) {
    const examples = await dataset.trainingExamples(type, share);
    const trained = new Set(examples.map(({ image }) => image));
    const all = await tests.examples(type);
    const rest = testData === undefined ? all.filter(({ image }) => !trained.has(image)) : all;
    if (rest.length === 0) throw new DatasetError(`${tests.label} has no images of ${type} to test on`);
    const real = photographsAmong(rest);
    if (real.length === 0) throw new DatasetError(onlySynthetic(tests, `images of ${type}`));
    const generated = examples.filter(({ image }) => isGenerated(image) !== undefined).length;
    if (generated > 0) {
      warn(
        `${generated} of ${examples.length} training images of ${type} in ${dataset.label} are generated, but count as real here: leave them out of the data, and give their folder with --pairs`,
      );
    }
    training.set(type, examples);
    testing.set(type, real);
  }
  return withoutOverlap({ training, testing, ...good, testingGood, synthetic }, await listed());
}

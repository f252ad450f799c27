import { join } from 'node:path';
import { DatasetError } from '../core/errors.js';
import { Dataset, type Example } from '../dataset/dataset.js';
import { imagesBelow } from '../dataset/folders.js';
import { withoutOverlap } from './overlap.js';

export const GOOD = 'good';

/** Real images, by type where they show defects. */
export interface Split {
  training: ReadonlyMap<string, Example[]>;
  testing: ReadonlyMap<string, Example[]>;
  trainingGood: readonly string[];
  testingGood: readonly string[];
  /** How many of a type's images train, as `trainImages` says it. */
  share: number | string;
  /** Images that would test, but have the pixels of one that trains. */
  leftOut: number;
}

/**
 * What trains and what tests: the first third of each type, or what `trainImages` says, and the rest of `dataset`, or all of it and all of
 * `testData`, but for images that train (by their pixels). Throws ERR_DATASET_INVALID where something is missing.
 */
export async function splitOf(
  dataset: Dataset,
  { testData, trainImages }: { testData?: string | undefined; trainImages?: number | string | undefined },
): Promise<Split> {
  const tests = testData === undefined ? dataset : await Dataset.open(testData);
  const types = dataset.types.filter((type) => tests.types.includes(type));
  if (types.length === 0) {
    throw new DatasetError(`${tests.folder} has none of the defect types ${dataset.types.join(', ')}`);
  }
  const share = trainImages ?? (testData === undefined ? '1/3' : '1/1');
  const training = new Map<string, Example[]>();
  const testing = new Map<string, Example[]>();
  for (const type of types) {
    const examples = await dataset.trainingExamples(type, share);
    const trained = new Set(examples.map(({ image }) => image));
    const all = await tests.examples(type);
    const rest = testData === undefined ? all.filter(({ image }) => !trained.has(image)) : all;
    if (rest.length === 0) throw new DatasetError(`${tests.folder} has no images of ${type} to test on`);
    training.set(type, examples);
    testing.set(type, rest);
  }
  const testingGood = await imagesBelow(join(tests.folder, 'test', GOOD));
  if (testingGood.length === 0) {
    throw new DatasetError(
      `${tests.folder} has no good images to test on: expected images in ${join(tests.folder, 'test', GOOD)}`,
    );
  }
  const trainingGood = await dataset.goodImages();
  if (trainingGood.length === 0) {
    throw new DatasetError(
      `${dataset.folder} has no good images to train on: expected images in ${join(dataset.folder, 'train', GOOD)}`,
    );
  }
  return withoutOverlap({ training, testing, trainingGood, testingGood, share, leftOut: 0 });
}

import { DatasetError } from '../core/errors.js';
import { Dataset, type Example } from '../dataset/dataset.js';
import type { ImageSource } from '../dataset/image-source.js';
import { withoutOverlap } from './overlap.js';

export const GOOD = 'good';

/** Real images, by type where they show defects. */
export interface Split {
  training: ReadonlyMap<string, Example[]>;
  testing: ReadonlyMap<string, Example[]>;
  trainingGood: readonly ImageSource[];
  testingGood: readonly ImageSource[];
  /** How many of a type's images train, as `trainImages` says it. */
  share: number | string;
  /** Images that would test, but have the pixels of one that trains. */
  leftOut: number;
}

async function goodOf(dataset: Dataset, purpose: 'train' | 'test'): Promise<ImageSource[]> {
  const images = await dataset.goodImages(purpose);
  if (images.length > 0) return images;
  throw new DatasetError(
    `${dataset.label} has no good images to ${purpose} on: expected images in ${dataset.goodPlace(purpose)}`,
  );
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
    throw new DatasetError(`${tests.label} has none of the defect types ${dataset.types.join(', ')}`);
  }
  const share = trainImages ?? (testData === undefined ? '1/3' : '1/1');
  const training = new Map<string, Example[]>();
  const testing = new Map<string, Example[]>();
  for (const type of types) {
    const examples = await dataset.trainingExamples(type, share);
    const trained = new Set(examples.map(({ image }) => image));
    const all = await tests.examples(type);
    const rest = testData === undefined ? all.filter(({ image }) => !trained.has(image)) : all;
    if (rest.length === 0) throw new DatasetError(`${tests.label} has no images of ${type} to test on`);
    training.set(type, examples);
    testing.set(type, rest);
  }
  const testingGood = await goodOf(tests, 'test');
  const trainingGood = await goodOf(dataset, 'train');
  return withoutOverlap({ training, testing, trainingGood, testingGood, share });
}

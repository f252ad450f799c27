/** Removes training images from the test. Images are compared by their pixels, so names and formats do not matter. */
import { createHash } from 'node:crypto';
import { DatasetError } from '../core/errors.js';
import type { Example } from '../dataset/example-file.js';
import { fewAtOnce } from '../dataset/few-at-once.js';
import { readImage } from '../dataset/image-file.js';
import { ImageInMemory, type ImageSource, labelOf } from '../dataset/image-source.js';

/** The images of a split, without its other properties. */
interface Images {
  training: ReadonlyMap<string, Example[]>;
  testing: ReadonlyMap<string, Example[]>;
  trainingGood: readonly ImageSource[];
  testingGood: readonly ImageSource[];
}

type Item = Example | ImageSource;

async function digestOf(source: ImageSource): Promise<string> {
  const { data, width, height } = await readImage(source);
  return createHash('sha256').update(`${width} x ${height} `).update(data).digest('base64');
}

const sourceOf = (item: Item): ImageSource =>
  typeof item === 'string' || item instanceof ImageInMemory ? item : item.image;
const labelOfItem = (item: Item) => labelOf(sourceOf(item));

async function digestsOf(items: readonly Item[]): Promise<string[]> {
  return fewAtOnce(items, (item) => digestOf(sourceOf(item)));
}

/**
 * Returns the split without the test images that are also training images, and their number as `leftOut`. Throws
 * ERR_DATASET_INVALID with one of them if no test image of a type, or no good one, would be left.
 */
export async function withoutOverlap<Split extends Images>(split: Split): Promise<Split & { leftOut: number }> {
  const trained = new Map<string, string>();
  const training = [...[...split.training.values()].flat(), ...split.trainingGood];
  for (const [i, digest] of (await digestsOf(training)).entries()) {
    trained.set(digest, labelOfItem(training[i] as Item));
  }
  let leftOut = 0;
  const withoutTrained = async <Kind extends Item>(what: string, items: readonly Kind[]): Promise<Kind[]> => {
    const twins = (await digestsOf(items)).map((digest) => trained.get(digest));
    const rest = items.filter((_, i) => twins[i] === undefined);
    const first = twins.findIndex((twin) => twin !== undefined);
    if (rest.length === 0 && first >= 0) {
      throw new DatasetError(
        `The training images (--data) and the test images (--test-data) overlap, so that none of ${what} is left to test on: ${labelOfItem(items[first] as Kind)} has the pixels of ${twins[first]}`,
      );
    }
    leftOut += items.length - rest.length;
    return rest;
  };
  const testing = new Map<string, Example[]>();
  for (const [type, examples] of split.testing) testing.set(type, await withoutTrained(type, examples));
  const testingGood = await withoutTrained('good', split.testingGood);
  return { ...split, testing, testingGood, leftOut };
}

/** Images that train must not test: they are compared by their pixels, whatever their names and formats. */
import { createHash } from 'node:crypto';
import { DatasetError } from '../core/errors.js';
import type { Example } from '../dataset/dataset.js';
import { fewAtOnce } from '../dataset/few-at-once.js';
import { readImage } from '../dataset/image-file.js';
import type { Split } from './split.js';

async function digestOf(file: string): Promise<string> {
  const { data, width, height } = await readImage(file);
  return createHash('sha256').update(`${width} x ${height} `).update(data).digest('base64');
}

const imageOf = (item: Example | string): string => (typeof item === 'string' ? item : item.image);

/** Digests of images, each with its file. */
async function digestsOf(items: readonly (Example | string)[]): Promise<string[]> {
  return fewAtOnce(items, (item) => digestOf(imageOf(item)));
}

/**
 * The split without the images to test on that train, too, and how many they are. Throws ERR_DATASET_INVALID naming one
 * where none of a type, or no good one, would be left.
 */
export async function withoutOverlap(split: Split): Promise<Split> {
  const trained = new Map<string, string>();
  const training = [...[...split.training.values()].flat(), ...split.trainingGood];
  for (const [i, digest] of (await digestsOf(training)).entries()) {
    trained.set(digest, imageOf(training[i] as Example | string));
  }
  let leftOut = 0;
  const untrained = async <Item extends Example | string>(what: string, items: readonly Item[]): Promise<Item[]> => {
    const twins = (await digestsOf(items)).map((digest) => trained.get(digest));
    const rest = items.filter((_, i) => twins[i] === undefined);
    const first = twins.findIndex((twin) => twin !== undefined);
    if (rest.length === 0 && first >= 0) {
      throw new DatasetError(
        `The images that train (--data) and those that test (--test-data) overlap, so that none of ${what} is left to test on: ${imageOf(items[first] as Item)} has the pixels of ${twins[first]}`,
      );
    }
    leftOut += items.length - rest.length;
    return rest;
  };
  const testing = new Map<string, Example[]>();
  for (const [type, examples] of split.testing) testing.set(type, await untrained(type, examples));
  const testingGood = await untrained('good', split.testingGood);
  return { ...split, testing, testingGood, leftOut };
}

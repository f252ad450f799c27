/** Removes images from the test whose part is also shown by a training image. Names and formats do not matter. */
import { createHash } from 'node:crypto';
import { DatasetError } from '../core/errors.js';
import { fewAtOnce } from '../core/few-at-once.js';
import type { Example } from '../dataset/example-file.js';
import { GROUP_LIST, groupsOf } from '../dataset/groups.js';
import { readImage } from '../dataset/image-file.js';
import { ImageInMemory, type ImageSource, labelOf } from '../dataset/image-source.js';

/** The images of a split, without its other properties. */
interface Images {
  training: ReadonlyMap<string, Example[]>;
  testing: ReadonlyMap<string, Example[]>;
  trainingGood: readonly ImageSource[];
  testingGood: readonly ImageSource[];
}

/** An image of a defect with its mask, or a good image. */
export type Item = Example | ImageSource;

async function digestOf(source: ImageSource): Promise<string> {
  const { data, width, height } = await readImage(source);
  return createHash('sha256').update(`${width} x ${height} `).update(data).digest('base64');
}

export const sourceOf = (item: Item): ImageSource =>
  typeof item === 'string' || item instanceof ImageInMemory ? item : item.image;

/**
 * Returns the split without the test images of parts that training images show, their number as `leftOut`, and the
 * groups of all images. `listed` has the groups that the user names. Throws ERR_DATASET_INVALID with one of the images
 * if no test image of a type, or no good one, would be left.
 */
export async function withoutOverlap<Split extends Images>(
  split: Split,
  listed: ReadonlyMap<string, string>,
): Promise<Split & { leftOut: number; groups: Map<ImageSource, number> }> {
  const training = [...[...split.training.values()].flat(), ...split.trainingGood].map(sourceOf);
  const testing = [...[...split.testing.values()].flat(), ...split.testingGood].map(sourceOf);
  const all = [...training, ...testing];
  const numbers = await groupsOf(all, listed);
  const groups = new Map(all.map((source, index) => [source, numbers[index] as number]));
  const digests = new Map<ImageSource, string>();
  for (const [index, digest] of (await fewAtOnce(all, digestOf)).entries()) {
    digests.set(all[index] as ImageSource, digest);
  }
  const trainedGroups = new Map(training.map((source) => [groups.get(source), source]));
  const trainedPixels = new Map(training.map((source) => [digests.get(source), source]));
  const twinOf = (item: Item) => trainedPixels.get(digests.get(sourceOf(item)));
  const relativeOf = (item: Item) => twinOf(item) ?? trainedGroups.get(groups.get(sourceOf(item)));
  let leftOut = 0;
  const withoutTrained = <Kind extends Item>(what: string, items: readonly Kind[]): Kind[] => {
    const rest = items.filter((item) => relativeOf(item) === undefined);
    const first = items.find((item) => relativeOf(item) !== undefined);
    if (rest.length === 0 && first !== undefined) {
      const shares = twinOf(first) === undefined ? 'shows the same part as' : 'has the pixels of';
      throw new DatasetError(
        `The training images (--data) and the test images (--test-data) overlap, so that none of ${what} is left to test on: ${labelOf(sourceOf(first))} ${shares} ${labelOf(relativeOf(first) as ImageSource)}; ${GROUP_LIST} can name the parts`,
      );
    }
    leftOut += items.length - rest.length;
    return rest;
  };
  const rest = new Map<string, Example[]>();
  for (const [type, examples] of split.testing) rest.set(type, withoutTrained(type, examples));
  const testingGood = withoutTrained('good', split.testingGood);
  return { ...split, testing: rest, testingGood, leftOut, groups };
}

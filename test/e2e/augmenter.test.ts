import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embedded } from '../../lib/core/paths.js';
import { Dataset, type Example } from '../../lib/dataset/dataset.js';
import type { Pair } from '../../lib/dataset/pair.js';
import { Augmenter } from '../../lib/recipes/augmenter.js';

const SIDE = 64;
let examples: Example[];
let goodImages: string[];
let augmenter: Augmenter;

const create = (seed: number) => Augmenter.create(examples, goodImages, { resolution: SIDE, seed });
beforeAll(async () => {
  const dataset = await Dataset.open(embedded.example);
  examples = await dataset.trainingExamples('stain', '1/1');
  goodImages = await dataset.goodImages();
  augmenter = await create(5);
});
afterAll(() => augmenter?.dispose());

const collect = async (from: Augmenter, options: Parameters<Augmenter['pairs']>[0]): Promise<Pair[]> => {
  const pairs: Pair[] = [];
  for await (const pair of from.pairs(options)) pairs.push(pair);
  return pairs;
};

describe('the recipe augment', () => {
  it('gives pairs whose part is the image inside the mask and blank outside', async () => {
    for (const [partFill, blank] of [
      ['grey', 128],
      ['black', 0],
    ] as const) {
      const pairs = await collect(augmenter, { count: 6, partFill });
      expect(pairs.map(({ index, seed }) => [index, seed])).toEqual([0, 1, 2, 3, 4, 5].map((index) => [index, 5]));
      for (const { image, part, mask } of pairs) {
        expect(mask).toMatchObject({ width: SIDE, height: SIDE, channels: 1 });
        expect(new Set(mask?.data)).toEqual(new Set([0, 255]));
        const expected = image.data.map((value, i) => (mask?.data[Math.floor(i / 3)] === 255 ? value : blank));
        expect(part.data).toEqual(expected);
      }
    }
  });

  it('fills parts with the blank that more of the defects can be told from, unless it is told another', async () => {
    expect(['grey', 'black']).toContain(augmenter.partFill);
    expect(await collect(augmenter, { count: 2 })).toEqual(
      await collect(augmenter, { count: 2, partFill: augmenter.partFill }),
    );
  });

  it('gives pair k of a seed whatever was skipped, and another one for another seed', async () => {
    const all = await collect(augmenter, { count: 6 });
    expect(await collect(augmenter, { count: 6, skip: new Set([0, 1, 4]) })).toEqual([all[2], all[3], all[5]]);
    await using again = await create(5);
    expect(await collect(again, { count: 6 })).toEqual(all);
    await using other = await create(6);
    expect((await collect(other, { count: 1 }))[0]?.image.data).not.toEqual(all[0]?.image.data);
  });

  it('ends with the reason of its signal', async () => {
    const controller = new AbortController();
    const drawing = async () => {
      for await (const pair of augmenter.pairs({ count: 1000, signal: controller.signal })) {
        if (pair.index === 5) controller.abort(new Error('enough'));
      }
    };
    await expect(drawing()).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: { message: 'enough' } });
  });

  it('needs examples and good images, and says which are missing', async () => {
    const make = (some: Example[], good: string[]) => Augmenter.create(some, good, { resolution: SIDE });
    const invalid = (text: string) => ({ code: 'ERR_DATASET_INVALID', message: expect.stringContaining(text) });
    await expect(make(examples, [])).rejects.toMatchObject(invalid('good images'));
    await expect(make([], goodImages)).rejects.toMatchObject(invalid('real images of defects'));
  });

  it('is refused once it is disposed', async () => {
    const disposed = await create(1);
    await disposed.dispose();
    await disposed.dispose();
    await expect(disposed.pairs({ count: 1 }).next()).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  });
});

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DatasetError } from '../../lib/core/errors.js';
import { RawImage } from '../../lib/core/image.js';
import type { GeneratedPair } from '../../lib/dataset/generated-pair.js';
import { PairWriter } from '../../lib/dataset/pair-writer.js';
import type { JobEvent } from '../../lib/jobs/index.js';
import { writePairs } from '../../lib/jobs/write-pairs.js';
import type { OpenRecipe } from '../../lib/recipes/recipe.js';
import { expectFailure } from '../helpers/failures.js';
import { recordsOf } from '../helpers/files.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const square = (side: number, channels: 1 | 3) =>
  new RawImage({ data: new Uint8Array(side * side * channels).fill(9), width: side, height: side, channels });
const pair = (index: number, side = 4): GeneratedPair => ({
  ...{ index, seed: 7, image: square(side, 3), part: square(side, 3), mask: square(side, 1) },
});
const opened = (name: string) => PairWriter.open(join(folder, name), { type: 'crack' });
const recipeOf = (pairs: OpenRecipe['pairs'], recipe = 'place'): OpenRecipe => ({
  source: { type: 'crack', recipe, settings: {} },
  pairs,
  [Symbol.asyncDispose]: async () => {},
});

describe('pairs that are written at once', () => {
  it('are listed in the order of the calls, even if a later one is ready first', async () => {
    const writer = await opened('order');
    const listed = await Promise.all([3, 0, 2].map((index) => writer.write(pair(index, index === 3 ? 512 : 4))));
    expect(listed.map(({ index }) => index)).toEqual([3, 0, 2]);
    expect(recordsOf(writer.folder).map(({ index }) => index)).toEqual([3, 0, 2]);
    await writer.close();
    expect(recordsOf(writer.folder).map(({ index }) => index)).toEqual([0, 2, 3]);
  });

  it('are all written before the folder is released', async () => {
    const writer = await opened('released');
    const writing = writer.write(pair(0, 256));
    await writer.close();
    expect(recordsOf(writer.folder)).toHaveLength(1);
    await writing;
    await using _next = await PairWriter.open(writer.folder, { type: 'crack', resume: true });
  });

  it('cannot be the same pair', async () => {
    await using writer = await opened('same');
    const first = writer.write(pair(0));
    await expectFailure(writer.write(pair(0)), 'ERR_DATASET_INVALID', 'has the pair 0 already');
    await first;
    expect(writer.records).toHaveLength(1);
  });

  it('do not hinder each other if one of them cannot be written', async () => {
    await using writer = await opened('hindered');
    const wide = { ...pair(0), image: square(8, 3) };
    const results = await Promise.allSettled([wide, pair(1)].map((one) => writer.write(one)));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(recordsOf(writer.folder).map(({ index }) => index)).toEqual([1]);
  });
});

describe('writePairs', () => {
  it.each([
    ['place', 5],
    ['augment', 10],
  ])('lets the recipe %s make the next pairs before a pair is written, but not all of them', async (name, most) => {
    const out = join(folder, `ahead-${name}`);
    const made: number[] = [];
    const madeAtEvent: number[] = [];
    const recipe = recipeOf(async function* ({ count }) {
      for (let index = 0; index < count; index++) {
        made.push(index);
        yield pair(index, 64);
      }
    }, name);
    const onEvent = (event: JobEvent) => event.event === 'pair' && madeAtEvent.push(made.length);
    await writePairs(recipe, { out, count: 19, resume: false }, { onEvent });
    expect(madeAtEvent[0]).toBeGreaterThan(1);
    expect(madeAtEvent[0]).toBeLessThan(most);
    expect(recordsOf(out).map(({ index }) => index)).toEqual(made);
  });

  it('keeps and reports the pairs before an error of the recipe', async () => {
    const out = join(folder, 'failed');
    const told: string[] = [];
    const recipe = recipeOf(async function* () {
      yield pair(0, 256);
      yield pair(1);
      throw new DatasetError('the third pair cannot be made');
    });
    const onEvent = (event: JobEvent) => event.event === 'pair' && told.push(event.image);
    const writing = writePairs(recipe, { out, count: 3, resume: false }, { onEvent });
    await expectFailure(writing, 'ERR_DATASET_INVALID', 'the third pair');
    expect(told.map((file) => existsSync(file))).toEqual([true, true]);
    expect(readFileSync(join(out, 'pairs.jsonl'), 'utf8').trim().split('\n')).toHaveLength(2);
  });

  it('ends with a folder that can be resumed if a listener throws', async () => {
    const out = join(folder, 'thrown');
    const recipe = recipeOf(async function* ({ count, skip }) {
      for (let index = 0; index < count; index++) if (!skip.has(index)) yield pair(index);
    });
    const onEvent = () => {
      throw new Error('the listener failed');
    };
    await expect(writePairs(recipe, { out, count: 6, resume: false }, { onEvent })).rejects.toThrow('listener failed');
    await writePairs(recipe, { out, count: 6, resume: true }, {});
    expect(recordsOf(out).map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

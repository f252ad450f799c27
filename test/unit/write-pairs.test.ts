import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GeneratedPair } from '../../lib/dataset/generated-pair.js';
import type { JobEvent } from '../../lib/jobs/index.js';
import { requireRange, writePairs } from '../../lib/jobs/write-pairs.js';
import type { OpenRecipe } from '../../lib/recipes/recipe.js';
import { expectFailure } from '../helpers/failures.js';
import { recordsOf } from '../helpers/files.js';
import { boxMask, picture } from '../helpers/placing.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const pair = (index: number): GeneratedPair => ({
  ...{ index, seed: 7, image: picture(20, 10, 1), part: picture(20, 10), mask: boxMask(20, 10, [3, 2, 4, 4]) },
  ...{ maskMethod: 'placed', photograph: 'a.png' },
  defects: [{ window: { left: -2, top: 0, side: 12 }, method: 'auto', attempts: 2, contrast: 0.25, fit: 0.75 }],
});

/** A recipe that leaves out the pairs with odd indices. */
const recipe: OpenRecipe = {
  source: { type: 'crack', recipe: 'place', settings: {} },
  async *pairs({ count, skip }) {
    for (let index = 0; index < count; index += 2) if (!skip.has(index)) yield pair(index);
  },
  [Symbol.asyncDispose]: async () => {},
};

describe('writePairs', () => {
  it('counts the pairs that a recipe leaves out, and says so', async () => {
    const out = join(folder, 'pairs');
    const warnings: string[] = [];
    const onEvent = (event: JobEvent) => event.event === 'warning' && warnings.push(event.message);
    expect(await writePairs(recipe, { out, count: 5, resume: false }, { onEvent })).toMatchObject({ failed: 2 });
    expect(warnings).toEqual(['crack: 2 of 5 pairs are left out, because no defect became visible in them']);
    expect(await writePairs(recipe, { out, count: 1, resume: true }, { onEvent })).toMatchObject({ failed: 0 });
    expect(recordsOf(out)).toMatchObject([0, 2, 4].map((index) => ({ index })));
  });

  it('tells of each pair when its files are written', async () => {
    const out = join(folder, 'told');
    const told: string[] = [];
    const onEvent = (event: JobEvent) => {
      if (event.event !== 'pair') return;
      for (const file of [event.image, event.part, event.mask as string]) readFileSync(file);
      told.push(event.image);
    };
    await writePairs(recipe, { out, count: 3, resume: false }, { onEvent });
    expect(told).toEqual([0, 2].map((index) => join(out, 'test', 'crack', `00000${index}.png`)));
  });

  it('makes the pairs of a range alone, and counts them alone', async () => {
    const out = join(folder, 'range');
    const progress: number[][] = [];
    const onEvent = (event: JobEvent) => event.event === 'progress' && progress.push([event.done, event.total]);
    const range = [2, 7] as const;
    expect(await writePairs(recipe, { out, count: 9, range, resume: false }, { onEvent })).toMatchObject({ failed: 2 });
    expect(recordsOf(out)).toMatchObject([2, 4, 6].map((index) => ({ index })));
    expect(progress.at(-1)).toEqual([3, 5]);
    expect(() => requireRange([2, 10], 9)).toThrow('up to count, which is 9, for range but received 2, 10');
  });

  it('fails if a recipe leaves out every pair', async () => {
    const out = join(folder, 'nothing');
    const none: OpenRecipe = { ...recipe, async *pairs() {} };
    const writing = writePairs(none, { out, count: 3, resume: false }, {});
    await expectFailure(writing, 'ERR_NO_PAIRS', 'no defect became visible in any of 3 pairs');
  });

  it('keeps the records of placed defects, which can be read again', async () => {
    const out = join(folder, 'records');
    await writePairs(recipe, { out, count: 1, resume: false }, {});
    const { photograph, defects, maskMethod } = pair(0);
    expect(recordsOf(out)).toMatchObject([{ photograph, defects, maskMethod, coverage: 0.08, empty: false }]);
    const { writer } = await writePairs(recipe, { out, count: 3, resume: true }, {});
    expect(writer.records[0]?.defects).toEqual(defects);
  });

  it('does not write among images that are not generated', async () => {
    const out = join(folder, 'category');
    const own = join(out, 'test', 'crack', '000000.png');
    mkdirSync(dirname(own), { recursive: true });
    writeFileSync(own, 'a real photograph');
    const writing = writePairs(recipe, { out, count: 1, resume: true }, {});
    await expectFailure(writing, 'ERR_DATASET_INVALID', own, 'Choose another folder');
    expect(readFileSync(own, 'utf8')).toBe('a real photograph');
  });
});

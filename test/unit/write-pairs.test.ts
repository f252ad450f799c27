import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GeneratedPair } from '../../lib/dataset/generated-pair.js';
import type { JobEvent } from '../../lib/jobs/index.js';
import { writePairs } from '../../lib/jobs/write-pairs.js';
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

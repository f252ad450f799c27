import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { Evaluator } from '../../lib/evaluate/index.js';
import { Adapter, Dataset } from '../../lib/index.js';
import type { EvaluateJobOptions } from '../../lib/jobs/index.js';
import { cli, flagsOf } from '../helpers/cli.js';
import { listAlone, writeCategory } from '../helpers/dataset.js';
import { folder, generated, judge, options, read, withoutTimes, writeGood } from '../helpers/evaluating.js';
import { expectFailure } from '../helpers/failures.js';
import { contentsOf, recordsOf } from '../helpers/files.js';

describe('an evaluation of tiles and few photographs', () => {
  it('an evaluation of tiles measures whole photographs at their own scale', async () => {
    const out = join(folder, 'tiles');
    await judge(out, { tile: 32, resolution: undefined, pairs: { ours: generated }, iterations: 2, seeds: 1 });
    const evaluation = read(out);
    expect(evaluation.protocol).toMatchObject({ resolution: 32, tiles: true });
    for (const { average, images, good } of evaluation.runs) {
      expect(average.pixelAp).toBeGreaterThan(0);
      // The photographs of dents have 48 x 48 pixels, those of pits 40 x 48, and good ones 48 x 40.
      const sizes = await Promise.all(
        [...images, ...good].map(async ({ map }) => {
          const { width, height } = await sharp(join(out, map)).metadata();
          return `${width} x ${height}`;
        }),
      );
      expect(sizes).toEqual([...Array(4).fill('48 x 48'), ...Array(4).fill('40 x 48'), ...Array(4).fill('48 x 40')]);
    }
    const ours = evaluation.runs.find(({ row }) => row === 'ours');
    expect(ours?.emptyMasks).toBe(1);
    expect(ours?.defects).toBe(7 * 32); // tiles
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('tiles of 32 pixels');
    const kept = withoutTimes(out);
    await judge(out, { tile: 32, resolution: undefined, pairs: { ours: generated }, iterations: 2, seeds: 1 });
    expect(withoutTimes(out)).toEqual(kept);
    await expectFailure(judge(join(folder, 'bad'), { tile: 32 }), 'ERR_INVALID_OPTION', 'one of resolution and tile');
  });

  it('an evaluation of tiles makes pairs at the scale of the photographs, on photographs that train', async () => {
    const alone = join(folder, 'alone'); // Without test/good, some of train/good are for the test.
    await writeCategory(alone, 'dent', 6, 80, 72);
    await writeGood(join(alone, 'train', 'good'), 6, 170);
    listAlone(alone);
    const out = join(folder, 'scale');
    const tiles: Partial<EvaluateJobOptions> = {
      ...{ data: alone, resolution: undefined, tile: 32, trainImages: '2/3@2', recipes: ['augment', 'noise', 'place'] },
      ...{ count: 3, trainSteps: 1, compare: [], iterations: 1, seeds: 1, seed: 3, shots: [2], classifier: false },
    };
    await judge(out, tiles);
    const { split } = await Evaluator.open(await Dataset.open(alone), { trainImages: '2/3@2', compare: ['none'] });
    const pairsOf = (recipe: string) => join(out, 'pairs', recipe, 'shots2', 'seed3', 'dent', 'dataset');
    const sizesOf = (recipe: string) =>
      Promise.all(
        recordsOf(pairsOf(recipe)).map(async ({ image }) => {
          const { width, height } = await sharp(join(pairsOf(recipe), image)).metadata();
          return `${width} x ${height}`;
        }),
      );
    expect(recordsOf(pairsOf('augment'))[0]?.settings).toMatchObject({ window: 72, resolution: 72 });
    expect(await sizesOf('augment')).toEqual(Array(3).fill('72 x 72'));
    // The windows of noise are larger than tiles, because those of its base are.
    const adapterOf = (recipe: string) =>
      Adapter.load(join(out, 'pairs', recipe, 'shots2', 'seed3', 'dent', 'adapter.safetensors'));
    await using whole = await adapterOf('noise');
    expect(whole.info).toMatchObject({ window: 128, resolution: 128 });
    expect(await sizesOf('noise')).toEqual(Array(3).fill('128 x 128'));
    // Training decides about those of place. Photographs of this size are learned as a whole.
    await using placed = await adapterOf('place');
    expect(placed.info.window).toBe('off');
    expect(new Set(await sizesOf('place'))).toEqual(new Set(['48 x 40'])); // as large as the good photographs
    const used = recordsOf(pairsOf('place')).map(({ photograph }) => photograph);
    expect(used.length).toBeGreaterThan(0);
    const namesOf = (images: typeof split.trainingGood) => images.map((source) => basename(source as string));
    expect(namesOf(split.testingGood)).toHaveLength(2);
    expect(namesOf(split.trainingGood)).toEqual(expect.arrayContaining(used));
    const { rows, runs } = read(out);
    expect(rows).toEqual(['augment', 'augment+real', 'noise', 'noise+real', 'place', 'place+real']);
    expect(runs.map(({ shots }) => shots)).toEqual(Array(6).fill(2));
    // A second call makes no pair again. Its reports have other times.
    const pairs = () =>
      Object.entries(contentsOf(join(out, 'pairs'))).filter(([name]) => !name.endsWith('report.html'));
    const before = pairs();
    await judge(out, tiles);
    expect(pairs()).toEqual(before);
  });

  it('evaluate --shots trains on few photographs and gives recipes no others', async () => {
    const out = join(folder, 'shots');
    const few = { shots: '1,2', recipes: ['augment'], count: 1, iterations: 1, seeds: 2, classifier: false };
    const flags = flagsOf({ ...options(out), trainImages: '2/3', compare: ['none', 'draem'], ...few } as never);
    const { code, stdout, stderr } = await cli(['evaluate', ...flags]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('| average | 2 | augment+real |');
    const { runs } = read(out);
    const defectsOf = (row: string) =>
      runs.filter((run) => run.row === row).map(({ shots, seed, defects }) => [shots, seed, defects]);
    const each = (first: number, second: number) => [
      ...[
        [1, 0, first],
        [1, 1, first],
      ],
      ...[
        [2, 0, second],
        [2, 1, second],
      ],
    ];
    expect(defectsOf('none')).toEqual(each(2, 4));
    expect(defectsOf('augment')).toEqual(each(2, 2));
    expect(defectsOf('augment+real')).toEqual(each(4, 6));
    expect(defectsOf('draem')).toEqual(each(0, 0));
    const known = (shots: number, seed: number) =>
      recordsOf(join(out, 'pairs', 'augment', `shots${shots}`, `seed${seed}`, 'dent', 'dataset'))[0]?.settings
        .examples as string[];
    for (const seed of [0, 1]) {
      expect(known(1, seed)).toHaveLength(1);
      expect(known(2, seed)).toHaveLength(2);
      expect(known(2, seed)).toEqual(expect.arrayContaining(known(1, seed)));
    }
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('id="shots"');
    expect(readFileSync(join(out, 'table.csv'), 'utf8')).toMatch(/^type,row,detector,shots,measure/);
  });
});

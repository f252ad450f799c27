/** shared/cases: what an evaluation trains and tests on. */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { splitOf } from '../../lib/evaluate/split.js';
import { Dataset } from '../../lib/index.js';
import { type EvaluateJobOptions, evaluate, type JobEvent } from '../../lib/jobs/index.js';
import { caseFolder } from '../helpers/cases.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const tile = caseFolder('tile');
const events: JobEvent[] = [];
const judge = (out: string, options: Pick<EvaluateJobOptions, 'data' | 'testData'>) =>
  evaluate(
    {
      ...{ compare: ['none'], seeds: 1, iterations: 2, resolution: 32, classifier: false, concurrency: 1 },
      ...{ out: join(folder, out), ...options },
    },
    { onEvent: (event) => events.push(event) },
  );

describe('90-eval-leak', () => {
  it('an evaluation that would test on every training image is refused, and an image is named', async () => {
    const work = judge('leak', { data: tile, testData: tile });
    await expectFailure(work, 'ERR_DATASET_INVALID', '--data', '--test-data', 'overlap', 'test/crack/000.png');
  });

  describe('in part', () => {
    const copy = join(folder, 'copy');
    beforeAll(async () => {
      cpSync(tile, copy, { recursive: true });
      // These have another format and another name, and the same pixels: 000 trains, and 009 would test.
      await sharp(join(tile, 'test', 'crack', '000.png'))
        .webp({ lossless: true })
        .toFile(join(copy, 'test', 'crack', '009.webp'));
      cpSync(join(tile, 'ground_truth', 'crack', '000_mask.png'), join(copy, 'ground_truth', 'crack', '009_mask.png'));
      await sharp(join(tile, 'train', 'good', '000.png'))
        .tiff({ compression: 'lzw' })
        .toFile(join(copy, 'test', 'good', '009.tif'));
    });

    it('a fraction keeps an image and its copy on one side', async () => {
      const { leftOut, training } = await splitOf(await Dataset.open(copy), {});
      expect(leftOut).toBe(1); // A good one.
      expect(training.get('crack')?.map(({ name }) => name)).toEqual(['000', '009']);
    });

    it('images with the pixels of one that trains are left out of the test and counted', async () => {
      const { leftOut, testing, testingGood } = await splitOf(await Dataset.open(copy), { trainImages: 2 });
      expect(leftOut).toBe(2);
      expect(testing.get('crack')?.map(({ name }) => name)).toEqual(['002', '003', '004', '005']);
      expect(testingGood).toHaveLength(3);
    });

    it('an evaluation says in its result, its warnings and its report how many images it left out', async () => {
      const { leftOut, files } = await judge('partly', { data: copy });
      expect(leftOut).toBe(1);
      expect(events).toContainEqual({
        event: 'warning',
        message: 'Test images left out because a training image shows the same part: 1',
      });
      expect(JSON.parse(readFileSync(files.json, 'utf8'))).toMatchObject({ tested: { crack: 5, good: 3 }, leftOut: 1 });
      expect(readFileSync(files.report, 'utf8')).toContain('1 of a part that a training image shows');
    });
  });
});

describe('91-no-good', () => {
  it('good images in a folder below train/good are used as those in train/good are', async () => {
    const nested = await judge('nested', { data: join(caseFolder('91-no-good'), 'subfolder') });
    expect(nested.table).toEqual((await judge('flat', { data: tile })).table);
  });

  it('an evaluation without good images names the folder where it expects them', async () => {
    const work = judge('none', { data: join(caseFolder('91-no-good'), 'none') });
    await expectFailure(work, 'ERR_DATASET_INVALID', 'none has no good images to train on', 'train/good');
  });
});

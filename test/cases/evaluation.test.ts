/** shared/cases: what an evaluation trains and tests on. */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { Dataset } from '../../lib/dataset/dataset.js';
import { splitOf } from '../../lib/evaluate/split.js';
import { caseFolder, inCase } from '../helpers/cases.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const tile = caseFolder('tile');
const evaluate = (name: string, out: string, ...args: string[]) =>
  inCase(name, [
    ...['evaluate', ...args, '--compare', 'none', '--seeds', '1', '--iterations', '2', '--resolution', '32'],
    ...['--no-classifier', '--jobs', '1', '--json', '--out', join(folder, out)],
  ]);

describe('90-eval-leak', () => {
  it('is refused, and an image is named', async () => {
    const { code, stderr } = await evaluate('tile', 'leak', '--data', '../tile', '--test-data', '../tile');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: .*--data.*--test-data.* overlap.*test\/crack\/000\.png.*\(ERR_DATASET_INVALID\)\n$/,
    );
  });

  describe('in part', () => {
    const copy = join(folder, 'copy');
    beforeAll(async () => {
      cpSync(tile, copy, { recursive: true });
      // Another format and another name, and the same pixels: 000 trains, 005 would test.
      await sharp(join(tile, 'test', 'crack', '000.png'))
        .webp({ lossless: true })
        .toFile(join(copy, 'test', 'crack', '009.webp'));
      cpSync(join(tile, 'ground_truth', 'crack', '000_mask.png'), join(copy, 'ground_truth', 'crack', '009_mask.png'));
      await sharp(join(tile, 'train', 'good', '000.png'))
        .tiff({ compression: 'lzw' })
        .toFile(join(copy, 'test', 'good', '009.tif'));
    });

    it('leaves out and counts what trains, within one dataset', async () => {
      const { leftOut, testing, testingGood } = await splitOf(await Dataset.open(copy), {});
      expect(leftOut).toBe(2);
      expect(testing.get('crack')?.map(({ name }) => name)).toEqual(['002', '003', '004', '005']);
      expect(testingGood).toHaveLength(3);
    });

    it('says so', async () => {
      const { code, stdout, stderr } = await evaluate('tile', 'partly', '--data', copy);
      expect(code).toBe(0);
      expect(stderr).toContain('left out of the test because they have the pixels of one that trains: 2\n');
      expect(JSON.parse(stdout).leftOut).toBe(2);
      expect(JSON.parse(readFileSync(join(folder, 'partly', 'evaluation.json'), 'utf8'))).toMatchObject({
        tested: { crack: 4, good: 3 },
        leftOut: 2,
      });
      expect(readFileSync(join(folder, 'partly', 'report.html'), 'utf8')).toContain(
        '2 with the pixels of a training image',
      );
    });
  });
});

describe('91-no-good', () => {
  it('is read from a folder below train/good, or asked for', async () => {
    const tables: unknown[] = [];
    for (const data of ['subfolder', '../tile']) {
      const { code, stdout } = await evaluate('91-no-good', `good${tables.length}`, '--data', data);
      expect(code).toBe(0);
      tables.push(JSON.parse(stdout).table);
    }
    expect(tables[0]).toEqual(tables[1]);
    const { code, stderr } = await evaluate('91-no-good', 'none', '--data', 'none');
    expect(code).toBe(1);
    expect(stderr).toContain('none has no good images to train on: expected images in');
    expect(stderr).toContain('train/good');
  });
});

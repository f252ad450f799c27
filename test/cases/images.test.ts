/** shared/cases: images and masks. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { iou } from '../../lib/dataset/agreement.js';
import { readMask } from '../../lib/dataset/mask-file.js';
import { Dataset } from '../../lib/index.js';
import { mask } from '../../lib/jobs/index.js';
import { caseFolder, tileLoss, trainCase } from '../helpers/cases.js';
import { expectFailure, warningsOf } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();

async function loaded(...path: string[]) {
  const dataset = await Dataset.open(join(caseFolder(path[0] as string), ...path.slice(1)));
  return Dataset.load(await dataset.trainingExamples('crack', '1/3'), 64, 'crop');
}
const mean = (data: Uint8Array) => data.reduce((sum, value) => sum + value, 0) / data.length;
const SQUARE = Array.from({ length: 64 * 64 }, (_, i) => {
  const [x, y] = [i % 64, Math.floor(i / 64)];
  return x >= 20 && x <= 35 && y >= 20 && y <= 35 ? 255 : 0;
});

/** The examples are those of `tile`. */
async function expectTile(name: string, within = 0) {
  const [tile, examples] = [await loaded('tile'), await loaded(name, 'tile')];
  expect(examples).toHaveLength(tile.length);
  for (const [i, { pixels, maskPixels }] of examples.entries()) {
    const expected = tile[i]?.pixels.data as Uint8Array;
    const differences = pixels.data.map((value, k) => Math.abs(value - (expected[k] as number)));
    expect(differences.reduce((most, value) => Math.max(most, value), 0)).toBeLessThanOrEqual(within);
    expect([...maskPixels.data]).toEqual(SQUARE);
  }
}

describe('images and masks from the field', () => {
  it('tile: the images have the levels that its README names', async () => {
    const [first, second] = await loaded('tile');
    expect(mean(first?.pixels.data as Uint8Array)).toBeCloseTo(123.46, 2);
    expect(mean(second?.pixels.data as Uint8Array)).toBeCloseTo(122.94, 2);
  });

  it.each(['01-bmp-8bit-grey', '02-rgba-mask', '11-mask-values-1', '12-mask-red', '14-mask-PNG-upper'])(
    '%s: images and masks are read as those of tile',
    (name) => expectTile(name),
  );

  it.each(['01-bmp-8bit-grey', '02-rgba-mask'])('%s: training gives the loss of tile', async (name) => {
    expect(await trainCase(name, {})).toBeCloseTo(await tileLoss(), 6);
  });

  it('01-bmp-8bit-grey: parts in a palette BMP get the masks of the same parts in PNG', async () => {
    const masks: Uint8Array[] = [];
    for (const name of ['parts', 'parts_png']) {
      const [parts, out] = [join(caseFolder('01-bmp-8bit-grey'), name), join(folder, name)];
      expect(await mask({ parts, out, mask: 'threshold' })).toMatchObject({ masks: 2, emptyMasks: 1 });
      const { data } = await readMask(join(out, 'defect_mask.png'));
      expect(data.filter((value) => value > 0)).toHaveLength(256);
      masks.push(data);
    }
    expect(masks[0]).toEqual(masks[1]);
  });

  it('03-12bit-in-16: the range of the samples is found, and a warning names it', async () => {
    let loss = Number.NaN;
    const warnings = await warningsOf(async () => {
      loss = await trainCase('03-12bit-in-16', {});
    });
    expect(Math.abs(loss / (await tileLoss()) - 1)).toBeLessThan(0.004);
    const expected = /03-12bit-in-16\/tile have samples up to \d+: they are read as 12 bits, 0 to 4095\.$/;
    expect(warnings).toEqual([expect.stringMatching(expected)]);
    await expectTile('03-12bit-in-16', 1);
  });

  it('04-float-tiff: floats from 0 to 1 are spread to the full range', async () => {
    expect(Math.abs((await trainCase('04-float-tiff', {})) / (await tileLoss()) - 1)).toBeLessThan(0.004);
    await expectTile('04-float-tiff', 1);
  });

  it.each([
    ['08-exif-180-mask', '000.jpg has EXIF orientation 3', '000_mask.png has none'],
    ['18-bmp-bomb', '000.bmp', '30000 x 30000'],
    ['65-mask-two-levels', '000_mask.png', 'levels 0, 120 and 255'],
  ])('%s: the error names the file and what is wrong with it', async (name, ...texts) => {
    await expectFailure(trainCase(name, {}), 'ERR_DATASET_INVALID', ...texts);
  });

  it('17-truncated-bmp: the error names the file that is cut off', async () => {
    const work = loaded('17-truncated-bmp', 'set', 'a');
    await expectFailure(work, 'ERR_DATASET_INVALID', 'set/a/test/crack/000.bmp is not a readable image', 'cut off');
  });

  it.each(['threshold', 'u2net'] as const)('46-rgba-parts: what is transparent is blank for %s', async (method) => {
    const square = { data: Uint8Array.from(SQUARE), width: 64, height: 64, channels: 1 } as const;
    const out = join(folder, method);
    await mask({ parts: join(caseFolder('46-rgba-parts'), 'parts'), out, mask: method });
    for (const name of ['cut_black', 'cut_white']) {
      const found = await readMask(join(out, `${name}_mask.png`));
      if (method === 'threshold') expect([...found.data]).toEqual(SQUARE);
      expect(iou(found, square)).toBeGreaterThan(0.85);
    }
  });

  it('87-webp: lossless WebP is read as PNG is, and every image counts', async () => {
    expect(await trainCase('87-webp', { data: 'every' })).toBeCloseTo(await tileLoss(), 6);
    const half = await Dataset.open(join(caseFolder('87-webp'), 'half'));
    expect(await half.trainingExamples('crack', 7)).toHaveLength(7);
    expect(await half.examples('crack')).toHaveLength(12);
  });
});

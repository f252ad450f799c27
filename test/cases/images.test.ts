/** shared/cases: images and masks. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { iou } from '../../lib/dataset/agreement.js';
import { Dataset } from '../../lib/dataset/dataset.js';
import { readMask } from '../../lib/dataset/mask-file.js';
import type { Mask } from '../../lib/model/masker.js';
import { caseFolder, inCase, lossOf, TILE_LOSS, trainInCase } from '../helpers/cases.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
let runs = 0;
const train = (name: string, ...more: string[]) =>
  trainInCase(name, join(folder, `${runs++}.safetensors`), '--data', 'tile', ...more);

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
  const tile = await loaded('tile');
  for (const [i, { pixels, maskPixels }] of (await loaded(name, 'tile')).entries()) {
    const expected = tile[i]?.pixels.data as Uint8Array;
    const differences = pixels.data.map((value, k) => Math.abs(value - (expected[k] as number)));
    expect(differences.reduce((most, value) => Math.max(most, value), 0)).toBeLessThanOrEqual(within);
    expect([...maskPixels.data]).toEqual(SQUARE);
  }
}

async function expectError(name: string, ...texts: string[]) {
  const { code, stderr, stdout } = await train(name);
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr.trim().split('\n')).toHaveLength(1);
  for (const text of [...texts, 'ERR_DATASET_INVALID']) expect(stderr).toContain(text);
}

describe('images and masks from the field', () => {
  it('tile is what its README says', async () => {
    const [first, second] = await loaded('tile');
    expect(mean(first?.pixels.data as Uint8Array)).toBeCloseTo(123.46, 2);
    expect(mean(second?.pixels.data as Uint8Array)).toBeCloseTo(122.94, 2);
    await expectTile('01-bmp-8bit-grey');
  });

  it('01-bmp-8bit-grey, 02-rgba-mask, 11-mask-values-1, 12-mask-red, 14-mask-PNG-upper: as tile', async () => {
    for (const name of ['02-rgba-mask', '11-mask-values-1', '12-mask-red', '14-mask-PNG-upper']) await expectTile(name);
    expect(lossOf(await train('01-bmp-8bit-grey'))).toBeCloseTo(TILE_LOSS, 6);
    expect(lossOf(await train('02-rgba-mask'))).toBeCloseTo(TILE_LOSS, 6);
  });

  it('01-bmp-8bit-grey: masks of parts', async () => {
    const masks: Uint8Array[] = [];
    for (const parts of ['parts', 'parts_png']) {
      const out = join(folder, parts);
      const made = await inCase('01-bmp-8bit-grey', [
        'mask',
        '--method',
        'threshold',
        '--parts',
        parts,
        '--out',
        out,
        '--json',
      ]);
      expect(JSON.parse(made.stdout)).toMatchObject({ masks: 2, emptyMasks: 1 });
      const { data } = await readMask(join(out, 'defect_mask.png'));
      expect(data.filter((value) => value > 0)).toHaveLength(256);
      masks.push(data);
    }
    expect(masks[0]).toEqual(masks[1]);
  });

  it('03-12bit-in-16: the range is found, and said', async () => {
    const { stderr, ...outcome } = await train('03-12bit-in-16');
    expect(Math.abs(lossOf({ stderr, ...outcome }) / TILE_LOSS - 1)).toBeLessThan(0.004);
    expect(stderr.trim()).toMatch(
      /^warning: .*03-12bit-in-16\/tile have samples up to \d+: they are read as 12 bits, 0 to 4095\.$/,
    );
    await expectTile('03-12bit-in-16', 1);
  });

  it('04-float-tiff: scaled', async () => {
    expect(Math.abs(lossOf(await train('04-float-tiff')) / TILE_LOSS - 1)).toBeLessThan(0.004);
    await expectTile('04-float-tiff', 1);
  });

  it('08-exif-180-mask, 18-bmp-bomb, 65-mask-two-levels: named', async () => {
    await expectError('08-exif-180-mask', '000.jpg has EXIF orientation 3', '000_mask.png has none');
    await expectError('18-bmp-bomb', '000.bmp', '30000 x 30000');
    await expectError('65-mask-two-levels', '000_mask.png', 'levels 0, 120 and 255');
  });

  it('17-truncated-bmp: named', async () => {
    const message = /set\/a\/test\/crack\/000\.bmp is not a readable image: .*cut off/;
    await expect(loaded('17-truncated-bmp', 'set', 'a')).rejects.toThrow(message);
    await expect(loaded('17-truncated-bmp', 'set', 'a')).rejects.toMatchObject({ code: 'ERR_DATASET_INVALID' });
  });

  it('46-rgba-parts: what is transparent is blank', async () => {
    const square = { data: Uint8Array.from(SQUARE), width: 64, height: 64, channels: 1 } as Mask;
    for (const method of ['threshold', 'u2net']) {
      const out = join(folder, method);
      const { code } = await inCase('46-rgba-parts', ['mask', '--method', method, '--parts', 'parts', '--out', out]);
      expect(code).toBe(0);
      for (const name of ['cut_black', 'cut_white']) {
        const mask = (await readMask(join(out, `${name}_mask.png`))) as Mask;
        if (method === 'threshold') expect([...mask.data]).toEqual(SQUARE);
        expect(iou(mask, square)).toBeGreaterThan(0.85);
      }
    }
  });

  it('87-webp: read', async () => {
    expect(lossOf(await train('87-webp', '--data', 'every'))).toBeCloseTo(TILE_LOSS, 6);
    const half = await Dataset.open(join(caseFolder('87-webp'), 'half'));
    expect(await half.trainingExamples('crack', 7)).toHaveLength(7);
    expect(await half.examples('crack')).toHaveLength(12);
  });
});

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { cli, flagsOf } from '../helpers/cli.js';
import { category, folder, judge, options, read } from '../helpers/evaluating.js';
import { expectFailure } from '../helpers/failures.js';
import { npy } from '../helpers/npy.js';
import { tiff } from '../helpers/png-tiff.js';

const NAMES = ['000', '001', '002', '003', '004', '005'];
type Scored = (mask: Uint8Array, width: number, height: number) => Float32Array;

/** Writes maps of all test images, as another program does that knows nothing of the split. */
async function writeMaps(name: string, scoreOf: Scored, encode: 'npy' | 'tiff' = 'tiff'): Promise<string> {
  const into = join(folder, name);
  const write = (path: string, data: Float32Array, width: number, height: number) => {
    const file = join(into, `${path}.${encode}`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, encode === 'npy' ? npy(data, '<f4', [height, width]) : tiff({ width, height, samples: data }));
  };
  for (const type of ['dent', 'pit']) {
    for (const image of NAMES) {
      const path = join(category, 'ground_truth', type, `${image}_mask.png`);
      const { data, info } = await sharp(path).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
      write(`${type}/${image}`, scoreOf(new Uint8Array(data), info.width, info.height), info.width, info.height);
    }
  }
  for (const image of NAMES.slice(0, 4)) write(`good/${image}`, scoreOf(new Uint8Array(48 * 40), 48, 40), 48, 40);
  return into;
}

const perfect: Scored = (mask) => Float32Array.from(mask, (value) => (value > 127 ? 3e5 : -7));
const constant: Scored = (mask) => new Float32Array(mask.length).fill(-2.5);
const alone = { compare: [], classifier: false, seeds: 1 };

describe('maps that another program has made', () => {
  it('stand in the table as a row, without training, with raw scores and intervals', async () => {
    const [best, flat] = [await writeMaps('best', perfect), await writeMaps('flat', constant, 'npy')];
    const out = join(folder, 'maps');
    const flags = [...flagsOf(options(out, alone)), '--compare=', '--maps', `best=${best}`, '--maps', `flat=${flat}`];
    const { code, stdout, stderr } = await cli(['evaluate', ...flags]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toContain('| average | best | maps | 100.0 |');
    const { rows, maps, runs, tested } = read(out);
    expect([rows, maps]).toEqual([
      ['best', 'flat'],
      ['best', 'flat'],
    ]);
    const [one, two] = runs;
    expect(one?.average).toMatchObject({ pixelAuroc: 1, pixelAp: 1, imageAuroc: 1 });
    expect(one?.average.pixelAuPro).toBeCloseTo(1, 10);
    expect(one?.average.pixelAuPro5).toBeCloseTo(1, 10);
    // Scores that are all equal tell nothing apart. The line of the curve from 0 to 1 has half of the limit below 0.3.
    expect(two?.together).toMatchObject({ pixelAuroc: 0.5, imageAuroc: 0.5, imageAp: 8 / 12, accuracy: null });
    expect(two?.together.pixelAuPro).toBeCloseTo(0.15, 10);
    expect(one?.intervals?.together.imageAuroc).toEqual([1, 1]);
    expect(one?.images).toHaveLength((tested.dent ?? 0) + (tested.pit ?? 0));
    expect(one?.images.map(({ range }) => range)).toContainEqual([-7, 3e5]); // raw, though resized
    const report = readFileSync(join(out, 'report.html'), 'utf8');
    expect(report).toContain('map of best, maps');
  });

  it('have the scores of images that the folder lists', async () => {
    const flat = await writeMaps('listed', constant);
    const line = (image: string, i: number) => `${image},${image.startsWith('good') ? -i : i + 1}`;
    const images = [...NAMES.flatMap((name) => [`dent/${name}.png`, `pit/${name}`])];
    const all = [...images, ...NAMES.slice(0, 4).map((name) => `good/${name}`)];
    writeFileSync(join(flat, 'scores.csv'), ['image,score', ...all.map(line)].join('\n'));
    const out = join(folder, 'listed-out');
    await judge(out, { ...alone, maps: { listed: flat } });
    expect(read(out).runs[0]?.together).toMatchObject({ pixelAuroc: 0.5, imageAuroc: 1 });
  });

  it.each<[string, string, (folder: string) => void]>([
    [
      'lacks the maps of 1 of 12 test images: expected pit/005',
      'lacking',
      (into) => rmSync(join(into, 'pit/005.tiff')),
    ],
    [
      'is 20 x 10 pixels: expected the size of its photograph, 48 x 48, or 32 x 32',
      'small',
      (into) =>
        writeFileSync(join(into, 'dent/005.tiff'), tiff({ width: 20, height: 10, samples: new Float32Array(200) })),
    ],
    [
      'has the score NaN at column 0 of row 0',
      'nan',
      (into) => {
        const samples = new Float32Array(48 * 40).fill(Number.NaN);
        writeFileSync(join(into, 'good/003.tiff'), tiff({ width: 48, height: 40, samples }));
      },
    ],
    ['maps belong to no image', 'extra', (into) => writeFileSync(join(into, 'dent/extra.png'), '')],
  ])('are refused before anything is trained: %s', async (text, name, spoil) => {
    const into = await writeMaps(name, perfect);
    spoil(into);
    const work = judge(join(folder, `${name}-out`), { compare: ['none'], iterations: 1e6, maps: { [name]: into } });
    await expectFailure(work, 'ERR_DATASET_INVALID', text);
  });

  it('need a name of their own, and one folder or one for each seed', async () => {
    const best = await writeMaps('twice', perfect);
    const bad = join(folder, 'bad-maps');
    await expectFailure(judge(bad, { maps: { none: best } }), 'ERR_INVALID_OPTION', 'a row has it');
    const three = judge(bad, { ...alone, seeds: 2, maps: { m: [best, best, best] } });
    await expectFailure(three, 'ERR_INVALID_OPTION', 'Expected one folder of the maps m, or 2, one for each seed');
  });
});

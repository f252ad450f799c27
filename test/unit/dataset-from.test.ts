import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { loadDefects, loadGood } from '../../lib/detect/squares.js';
import { EvaluationData } from '../../lib/evaluate/evaluation-data.js';
import { PROTOCOLS } from '../../lib/evaluate/protocol.js';
import { splitOf } from '../../lib/evaluate/split.js';
import { Dataset, type DatasetInput, encodePng, loadBackgrounds, type PixelData, readImage } from '../../lib/index.js';
import { listAlone, writeCategory } from '../helpers/dataset.js';
import { warningsOf } from '../helpers/failures.js';
import { png } from '../helpers/png-tiff.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();

/** A picture of noise with a dark square, and the square's mask. */
function defect(seed: number, width = 48, height = 40): { image: PixelData; mask: PixelData } {
  const isMarked = (x: number, y: number) => x >= seed && x < seed + 9 && y >= 8 && y < 17;
  const each = (value: (x: number, y: number) => number) =>
    Uint8Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width)));
  const grey = each((x, y) =>
    isMarked(x, y) ? 20 : 120 + ((x * (31 + 7 * seed) + y * (17 + 5 * seed) + x * y * seed) % 90),
  );
  const data = Uint8Array.from({ length: 3 * grey.length }, (_, i) => grey[Math.floor(i / 3)] as number);
  const mask = each((x, y) => (isMarked(x, y) ? 255 : 0));
  return { image: { data, width, height, channels: 3 }, mask: { data: mask, width, height, channels: 1 } };
}
const photograph = (seed: number) => defect(seed).image;
const bytesOf = async ({ image, mask }: { image: PixelData; mask: PixelData }) => ({
  image: await encodePng(image),
  mask: await encodePng(mask),
});
const load = async (dataset: Dataset, type = 'crack') => Dataset.load(await dataset.trainingExamples(type), 32, 'crop');
const pixelsOf = (loaded: Awaited<ReturnType<typeof load>>) =>
  loaded.map(({ pixels, maskPixels }) => [pixels.data, maskPixels.data]);

describe('Dataset.from', () => {
  it('gives the same squares of files, of their bytes and of their pixels', async () => {
    const pairs = [1, 2, 3].map((seed) => defect(seed));
    const category = join(folder, 'tile');
    for (const part of ['test', 'ground_truth']) mkdirSync(join(category, part, 'crack'), { recursive: true });
    const paths: { image: string; mask: string }[] = [];
    for (const [i, pair] of pairs.entries()) {
      const { image, mask } = await bytesOf(pair);
      const place = {
        image: join(category, `test/crack/${i}.png`),
        mask: join(category, `ground_truth/crack/${i}_mask.png`),
      };
      writeFileSync(place.image, image);
      writeFileSync(place.mask, mask);
      paths.push(place);
    }
    const expected = pixelsOf(await load(await Dataset.open(category)));
    const bytes = await Promise.all(pairs.map(bytesOf));
    for (const crack of [paths, bytes, pairs, [paths[0], bytes[1], pairs[2]] as typeof paths]) {
      expect(pixelsOf(await load(Dataset.from({ types: { crack } })))).toEqual(expected);
    }
  });

  it('has the types sorted, a category, names of examples, and the good images', async () => {
    const types = { hole: [defect(4)], crack: [defect(1), defect(2)] };
    const dataset = Dataset.from({ types, good: [photograph(5)], testGood: [photograph(6)], category: 'tile' });
    expect(dataset).toMatchObject({
      types: ['crack', 'hole'],
      category: 'tile',
      folder: undefined,
      label: 'dataset tile',
    });
    expect((await dataset.examples('crack')).map(({ name }) => name)).toEqual(['000', '001']);
    expect(await dataset.goodImages()).toMatchObject([{ label: 'good[0]' }]);
    expect(await dataset.goodImages('test')).toMatchObject([{ label: 'testGood[0]' }]);
    expect(Dataset.from({ types }).category).toBe('object');
    await expect(dataset.examples('dent')).rejects.toThrow('dataset tile has no defect type dent; it has crack, hole');
  });

  it('splits a type by the order of its images', async () => {
    const dataset = Dataset.from({ types: { crack: [1, 2, 3, 4, 5, 6].map((seed) => defect(seed)) } });
    const names = async (share: string | number) =>
      (await dataset.trainingExamples('crack', share)).map(({ name }) => name);
    expect(await names('1/3')).toEqual(['000', '001']);
    expect(await names('1/3@3')).toEqual(['004', '005']);
    expect(await names('all')).toHaveLength(6);
    await expect(names(7)).rejects.toThrow('dataset object has 6 images of crack, but 7 are asked for');
  });

  it('finds a type by its name in any composition', async () => {
    const dataset = Dataset.from({ types: { 'Schra\u0308ge': [defect(1)] } });
    expect(dataset.types).toEqual(['Schr\u00e4ge']);
    expect(await dataset.examples('Schra\u0308ge')).toHaveLength(1);
    const twice = { 'Schra\u0308ge': [defect(1)], 'Schr\u00e4ge': [defect(1)] };
    expect(() => Dataset.from({ types: twice })).toThrow('once in types but received it twice');
  });

  it.each([
    [
      'an argument that is missing',
      undefined,
      'Expected lists of { image, mask } by the names of defect types for types',
    ],
    ['no type', { types: {} }, 'Expected at least one defect type for types'],
    ['a type without images', { types: { crack: [] } }, 'Expected at least one { image, mask } for types.crack'],
    [
      'an example without a mask',
      { types: { crack: [{ image: 'a.png' }] } },
      'for types.crack.0.mask but received nothing',
    ],
    ['an empty path', { types: { crack: [{ image: '', mask: 'b.png' }] } }, 'Expected a path, an encoded image'],
    ['a type that leads elsewhere', { types: { '../x': [defect(1)] } }, 'for each name in types but received "../x"'],
    ['a type called good', { types: { good: [defect(1)] } }, 'for each name in types but received "good"'],
    [
      'a category that leads elsewhere',
      { types: { crack: [defect(1)] }, category: 'a/b' },
      'for category but received',
    ],
    ['an option that is not known', { types: { crack: [defect(1)] }, bad: [] }, 'Unknown option bad'],
    [
      'pixels of another size',
      { types: { crack: [defect(1), { ...defect(2), mask: { ...defect(2).mask, width: 3 } }] } },
      'pixels { data, width, height, channels: 1 | 3 } with a byte for each channel for types.crack.1.mask',
    ],
    ['a number among good images', { types: { crack: [defect(1)] }, good: ['a.png', 7] }, 'for good.1 but received 7'],
  ])('refuses %s', (_, input, message) => {
    const from = () => Dataset.from(input as unknown as DatasetInput);
    expect(from).toThrow(message);
    expect(from).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }));
  });

  it('names an image in memory by its place in every error of files', async () => {
    const { image, mask } = await bytesOf(defect(1));
    const turned = await sharp(image).withMetadata({ orientation: 3 }).png().toBuffer();
    const bands = Uint8Array.from({ length: 48 * 40 }, (_, i) => 60 * Math.floor(i / 480));
    const levels = { ...defect(1).mask, data: bands };
    const black = { ...defect(1).mask, data: new Uint8Array(48 * 40) };
    const small = defect(1, 20, 40).mask;
    const speck = { ...black, data: black.data.map((_, i) => (i === 99 ? 255 : 0)) };
    const text = Buffer.from('no image');
    const failures = [
      [{ image: text, mask }, /^crack\[1\]\.image is not a readable image: /],
      [{ image, mask: text }, /^crack\[1\]\.mask is not a readable image: /],
      [{ image: image.subarray(0, 300), mask }, /^crack\[1\]\.image is not a readable image: /],
      [{ image, mask: levels }, /^The mask crack\[1\]\.mask has the levels 0, 60, 120 and 180/],
      [{ image, mask: black }, /^The mask crack\[1\]\.mask is empty/],
      [{ image, mask: small }, /^The mask crack\[1\]\.mask is 20 x 40, but its image crack\[1\]\.image is 48 x 40$/],
      [{ image: turned, mask }, /^crack\[1\]\.image has EXIF orientation 3 and crack\[1\]\.mask has none/],
      [{ image, mask: speck }, /^The defect in crack\[1\]\.mask vanishes at 8 pixels/],
      [{ image: join(folder, 'none.png'), mask }, /none\.png: there is no such file/],
      [{ image, mask: join(folder, 'none.png') }, /^crack\[1\]\.image has no mask: expected .*none\.png$/],
    ] as const;
    for (const [pair, message] of failures) {
      const dataset = Dataset.from({ types: { crack: [{ image, mask }, pair] } });
      const loading = dataset.examples('crack').then((examples) => Dataset.load(examples, 8, 'stretch'));
      await expect(loading).rejects.toThrow(message);
    }
  });

  it('turns images and their masks as EXIF says', async () => {
    const { image, mask } = defect(3);
    const stored = (of: PixelData) =>
      sharp(of.data, { raw: { width: of.width, height: of.height, channels: of.channels } });
    const turned = async (of: PixelData) => stored(of).withMetadata({ orientation: 3 }).png().toBuffer();
    const both = Dataset.from({ types: { crack: [{ image: await turned(image), mask: await turned(mask) }] } });
    const upright = async (of: PixelData) => stored(of).rotate(180).png().toBuffer();
    const plain = Dataset.from({ types: { crack: [{ image: await upright(image), mask: await upright(mask) }] } });
    expect(pixelsOf(await load(both))).toEqual(pixelsOf(await load(plain)));
  });

  it('reads 16-bit images of one list with one range, and a lone one with its own', async () => {
    const deep = (most: number) =>
      png({
        width: 8,
        height: 8,
        bits: 16,
        samples: Array.from({ length: 64 }, (_, i) => Math.round((most * i) / 63)),
      });
    const dark = deep(800);
    const mask = { data: new Uint8Array(64).fill(255), width: 8, height: 8, channels: 1 } as const;
    const brightest = async (good: Buffer[]) => {
      const dataset = Dataset.from({ types: { crack: [{ image: dark, mask }] }, good });
      const [example] = await dataset.examples('crack');
      return (await readImage((example as NonNullable<typeof example>).image)).data.at(-1);
    };
    expect(await brightest([deep(3900)])).toBe(800 >> 4);
    expect(await brightest([deep(60000)])).toBe(800 >> 8);
    expect(await brightest([])).toBe(800 >> 2);
    expect((await readImage(dark)).data.at(-1)).toBe(800 >> 2);
  });

  it('warns of transparent pixels once for all images of a list', async () => {
    const warnings: string[] = [];
    process.on('warning', ({ message }) => warnings.push(message));
    const clear = await sharp({ create: { width: 8, height: 8, channels: 4, background: '#80808000' } })
      .png()
      .toBuffer();
    const dataset = Dataset.from({ types: { crack: [defect(1)] }, good: [clear, clear], category: 'glass' });
    for (const image of await dataset.goodImages()) await readImage(image);
    await setImmediate();
    expect(warnings.filter((text) => text.includes('transparent'))).toEqual([
      'good[0] has transparent pixels. They are read with the colours that the file stores for them, as in all images of dataset glass.',
    ]);
  });
});

describe('what takes a dataset of images in memory', () => {
  const types = {
    crack: [1, 2, 3, 4, 5, 6].map((seed) => defect(seed)),
    hole: [11, 12, 13].map((seed) => defect(seed)),
  };
  const good = [photograph(21), photograph(22)];

  it('loads backgrounds of good images, with foregrounds of a folder by their places', async () => {
    const dataset = Dataset.from({ types, good: [await encodePng(photograph(21)), photograph(22)] });
    const images = await dataset.goodImages();
    const backgrounds = await loadBackgrounds(images, 16, 'crop', 'none');
    expect(backgrounds.map(({ label }) => label)).toEqual(['good[0]', 'good[1]']);
    const masks = join(folder, 'foregrounds');
    mkdirSync(masks);
    const white = { data: new Uint8Array(48 * 40).fill(255), width: 48, height: 40, channels: 1 } as const;
    writeFileSync(join(masks, 'good_000_mask.png'), await encodePng(white));
    const [first] = await loadBackgrounds(images.slice(0, 1), 16, 'crop', { folder: masks });
    expect(new Set(first?.foreground.data)).toEqual(new Set([255]));
    await expect(loadBackgrounds(images, 16, 'crop', { folder: masks })).rejects.toThrow(
      `good[1] has no foreground mask: expected ${join(masks, 'good_001_mask.png')}`,
    );
  });

  it('splits it into what trains and what tests, without images whose pixels are in both', async () => {
    const crack = [...types.crack, types.crack[0] as (typeof types.crack)[number]];
    const testGood = [photograph(23), await encodePng(photograph(21))];
    const dataset = Dataset.from({ types: { ...types, crack }, good, testGood });
    const split = await splitOf(dataset, { trainImages: '1/3' });
    const names = (of: typeof split.training) => [...of].map(([type, list]) => [type, list.map(({ name }) => name)]);
    expect(names(split.training)).toEqual([
      ['crack', ['000', '006']], // 006 has the pixels of 000.
      ['hole', ['000']],
    ]);
    expect(names(split.testing)).toEqual([
      ['crack', ['001', '002', '003', '004', '005']],
      ['hole', ['001', '002']],
    ]);
    expect(split.testingGood).toMatchObject([{ label: 'testGood[0]' }]);
    expect(split.leftOut).toBe(1);
    const squares: { name: string }[] = [];
    for await (const chunk of loadGood(split.testingGood, 32)) squares.push(...chunk);
    for await (const chunk of loadDefects(split.testing.get('hole') ?? [], 32)) squares.push(...chunk);
    expect(squares.map(({ name }) => name)).toEqual(['testGood_000', '001', '002']);
  });

  it('warns of test images of defects whose masks are empty, or mark everything', async () => {
    const [empty, whole] = [defect(5), defect(6)];
    empty.mask.data.fill(0);
    whole.mask.data.fill(255);
    const crack = [...types.crack, empty, whole];
    const dataset = Dataset.from({ types: { crack }, good: good.slice(0, 1), testGood: [photograph(23)] });
    const split = await splitOf(dataset, { trainImages: '1/3' });
    const protocol = { ...PROTOCOLS.small, detectors: {} };
    const warnings = await warningsOf(() => EvaluationData.load(split, {}, new Map(), protocol));
    const tested = split.testing.get('crack')?.length;
    expect(warnings).toEqual([
      `The masks of 1 of ${tested} test images of crack are empty, so that they count as good: 006`,
      `The masks of 1 of ${tested} test images of crack mark all pixels, so that scores of pixels say nothing of where the defect is: 007`,
    ]);
  });

  it('refuses types with the names of summaries', async () => {
    const pairs = types.crack;
    for (const name of ['average', 'together']) {
      const dataset = Dataset.from({ types: { ...types, [name]: pairs }, good, testGood: good });
      await expect(splitOf(dataset, { trainImages: '1/3' })).rejects.toThrow(
        `dataset object has a defect type called ${name}, which is the name of a summary in the tables: rename it`,
      );
    }
  });

  it('names the lists that an evaluation lacks, and an image that would be both', async () => {
    const share = { trainImages: '1/3' };
    await expect(splitOf(Dataset.from({ types, good }), {})).rejects.toThrow(
      'dataset object has no good images to test on: expected images in testGood of Dataset.from',
    );
    await expect(splitOf(Dataset.from({ types, testGood: good }), share)).rejects.toThrow(
      'dataset object has no good images to train on: expected images in good of Dataset.from',
    );
    await expect(splitOf(Dataset.from({ types, good, testGood: good }), share)).rejects.toThrow(
      'testGood[0] has the pixels of good[0]',
    );
    await expect(splitOf(Dataset.from({ types, good, testGood: good }), { trainImages: 'all' })).rejects.toThrow(
      'dataset object has no images of crack to test on',
    );
  });

  it('tests on a folder what trained on images in memory', async () => {
    const category = join(folder, 'tested');
    await writeCategory(category, 'crack', 2);
    listAlone(category);
    mkdirSync(join(category, 'test', 'good'));
    writeFileSync(join(category, 'test', 'good', '0.png'), await encodePng(photograph(30)));
    const same = readFileSync(join(category, 'test', 'crack', '000.png'));
    const mask = readFileSync(join(category, 'ground_truth', 'crack', '000_mask.png'));
    const dataset = Dataset.from({ types: { crack: [defect(1), { image: same, mask }] }, good });
    const split = await splitOf(dataset, { testData: category });
    expect(split.training.get('crack')).toHaveLength(2);
    expect(split.testing.get('crack')?.map(({ name }) => name)).toEqual(['001']);
  });
});

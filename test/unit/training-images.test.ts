import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RawImage } from '../../lib/core/image.js';
import { Dataset, type FindForeground } from '../../lib/dataset/dataset.js';
import { loadTrainingImages, type TrainingImageOptions } from '../../lib/dataset/training-images.js';
import { digestOf, squareOf, type TrainingRegion } from '../../lib/dataset/training-region.js';

type Square = readonly [left: number, top: number, side: number];

/** A photograph whose pixels tell their place, and the mask of squares in it. */
function photograph(width: number, height: number, squares: readonly Square[]) {
  const data = new Uint8Array(width * height * 3);
  const mask = new Uint8Array(width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      data.set([x % 256, y % 256, (7 * x + 3 * y) % 256], 3 * i);
      const isMarked = squares.some(([left, top, side]) => x >= left && x < left + side && y >= top && y < top + side);
      mask[i] = isMarked ? 255 : 0;
    }
  }
  return {
    image: { data, width, height, channels: 3 as const },
    mask: { data: mask, width, height, channels: 1 as const },
  };
}

const options: TrainingImageOptions = { types: ['crack'], trainImages: 'all', resolution: 64, fit: 'crop', window: 64 };
const load = (dataset: Dataset, more: Partial<TrainingImageOptions> = {}) =>
  loadTrainingImages(dataset, { ...options, ...more });
const cracks = (...examples: ReturnType<typeof photograph>[]) => Dataset.from({ types: { crack: examples } });
const marked = ({ maskPixels }: TrainingRegion) => maskPixels.data.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0);
const pixelAt = ({ data, width }: RawImage, x: number, y: number) => [
  ...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 2),
];

describe('loadTrainingImages', () => {
  it('cuts a region around each defect at the scale of the photograph', async () => {
    const dataset = cracks(photograph(300, 200, [[100, 90, 10]]), photograph(300, 200, [[200, 150, 20]]));
    const { regions, window, notes } = await load(dataset);
    expect({ window, notes }).toEqual({ window: 64, notes: [] });
    const [first, second] = regions as [TrainingRegion, TrainingRegion];
    expect(first).toMatchObject({ name: '000', type: 0, centre: { x: 105 / 300, y: 95 / 200 } });
    expect([first.pixels.width, first.pixels.height]).toEqual([118, 118]);
    expect(pixelAt(first.pixels, 0, 0)).toEqual([46, 36]); // The region begins at 100 + 10 - 64 and 90 + 10 - 64.
    expect(marked(first)).toBe(100);
    expect(second.pixels.height).toBe(200 - (150 + 20 - 64)); // The photograph ends there.
    const square = await squareOf(first, 64);
    expect([square.pixels.width, square.pixels.height]).toEqual([64, 64]);
    expect(pixelAt(square.pixels, 0, 0)).toEqual([73, 63]); // The defect is in the middle.
  });

  it('changes the scale as the window tells', async () => {
    const dataset = cracks(photograph(400, 400, [[150, 150, 40]]));
    const halved = (await load(dataset, { window: 128 })).regions[0] as TrainingRegion;
    expect(halved.pixels.width).toBe((128 + 128 - 40) / 2);
    expect(marked(halved)).toBe(400);
    const enlarged = (await load(dataset, { window: 32, types: ['crack'] })).regions;
    expect(enlarged.length).toBeGreaterThan(1); // The defect is larger than a window.
    for (const region of enlarged) expect(Math.min(region.pixels.width, region.pixels.height)).toBeGreaterThan(63);
  });

  it('marks everything that a region shows, and gives each defect its region', async () => {
    const dataset = cracks(
      photograph(300, 200, [
        [100, 90, 10],
        [130, 90, 8],
      ]),
    );
    const { regions } = await load(dataset);
    expect(regions.map(marked)).toEqual([164, 164]);
    expect(regions.map(({ centre }) => centre?.x)).toEqual([105 / 300, 134 / 300]);
    for (const [i, left] of [100, 130].entries()) {
      const { middle, pixels } = regions[i] as TrainingRegion;
      const size = [10, 8][i] as number;
      expect(pixelAt(pixels, middle?.x as number, middle?.y as number)).toEqual([left + size / 2, 90 + size / 2]);
      // The other defect does not move the square.
      const square = await squareOf(regions[i] as TrainingRegion, 64);
      expect(pixelAt(square.pixels, 32, 32)).toEqual([left + size / 2, 90 + size / 2]);
    }
  });

  it('mirrors the border of a photograph that is smaller than a window, and says so', async () => {
    const { regions, notes } = await load(cracks(photograph(40, 200, [[10, 90, 10]])));
    const [region] = regions as [TrainingRegion];
    expect(notes).toEqual(['1 of 1 photographs are smaller than a window: their border is mirrored']);
    expect([region.pixels.width, region.pixels.height]).toEqual([64, 118]);
    const row = Array.from({ length: 64 }, (_, x) => pixelAt(region.pixels, x, 0)[0]);
    expect(row.slice(0, 14)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 1]);
    expect(row.slice(-13)).toEqual([39, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28]);
  });

  it('refuses a window that is far larger than every photograph', async () => {
    const dataset = cracks(photograph(40, 60, [[10, 40, 10]]));
    expect((await load(dataset, { window: 120 })).window).toBe(120);
    await expect(load(dataset, { window: 241 })).rejects.toThrow('Expected at most 240 for window but received 241');
  });

  it('keeps so many regions of crowded masks as fit into memory, and says so', async () => {
    const grid = Array.from({ length: 400 }, (_, i) => [(i % 20) * 16, Math.floor(i / 20) * 16, 4] as const);
    const { regions, notes } = await load(cracks(photograph(320, 320, grid)));
    expect(regions).toHaveLength(256);
    expect(notes).toEqual(['256 of 400 defects or pieces of defects train']);
  });

  it('decides by itself where the window is auto, and says what', async () => {
    const dataset = cracks(photograph(300, 200, [[100, 90, 10]]));
    expect(await load(dataset, { window: 'auto' })).toMatchObject({
      window: 64,
      notes: ['windows of 64 pixels: the defects are 10 pixels long in photographs of 300 x 200'],
    });
    const small = await load(dataset, { window: 'auto', resolution: 256 });
    expect(small.window).toBe('off');
    expect(small.notes[0]).toMatch(/^whole images: /);
  });

  it('uses whole images as before where the window is off, with the digest of before', async () => {
    const dataset = cracks(photograph(300, 200, [[100, 90, 40]]), photograph(80, 90, [[10, 10, 30]]));
    const { regions, notes } = await load(dataset, { window: 'off' });
    const squares = await Dataset.load(await dataset.examples('crack'), 64, 'crop');
    expect(notes).toEqual([]);
    for (const [i, { pixels, maskPixels, centre }] of squares.entries()) {
      expect(regions[i]).toEqual({ name: `00${i}`, type: 0, pixels, maskPixels, centre });
    }
    expect(regions[0]?.centre).toEqual({ x: 120 / 300, y: 110 / 200 });
    // Version 0.1.0 hashed pixels and masks and nothing else, and its runs can be resumed.
    const bytes = Buffer.concat(squares.flatMap(({ pixels, maskPixels }) => [pixels.data, maskPixels.data]));
    expect(await digestOf(regions)).toBe(createHash('sha256').update(bytes).digest('hex').slice(0, 16));
    expect(await load(dataset, { window: 'auto', fit: 'stretch' })).toMatchObject({ window: 'off' });
    await expect(load(dataset, { fit: 'stretch' })).rejects.toThrow('Expected crop for fit with windows');
  });

  it('numbers the types and takes good regions out of good photographs', async () => {
    const dataset = Dataset.from({
      types: { crack: [photograph(300, 200, [[100, 90, 10]])], hole: [photograph(300, 200, [[50, 50, 12]])] },
      good: [photograph(300, 200, []).image, photograph(500, 400, []).image],
    });
    for (const window of [64, 'off'] as const) {
      const { regions } = await load(dataset, { types: ['hole', 'good', 'crack'], window });
      expect(regions.map(({ type }) => type).sort()).toEqual([0, 1, 1, 2]);
      for (const region of regions.filter(({ type }) => type === 1)) {
        expect(marked(region)).toBe(0);
        expect(region.centre).toBeUndefined();
        const side = window === 'off' ? 64 : 128;
        expect([region.pixels.width, region.pixels.height]).toEqual([side, side]);
      }
      const swapped = await load(dataset, { types: ['crack', 'good', 'hole'], window });
      expect(await digestOf(swapped.regions)).not.toBe(await digestOf(regions));
    }
  });

  it('adds the foreground of the whole photograph to each region', async () => {
    const dataset = cracks(photograph(300, 200, [[100, 90, 10]]));
    const find: FindForeground = async (_, { width, height }) => {
      const data = Uint8Array.from({ length: width * height }, (_, i) => (i % width < 105 ? 255 : 0));
      return new RawImage({ data, width, height, channels: 1 });
    };
    const { regions } = await loadTrainingImages(dataset, options, { find, inRegions: true });
    const [region] = regions as [TrainingRegion];
    const row = [...(region.foregroundPixels as RawImage).data.subarray(0, 118)];
    expect(row).toEqual(Array.from({ length: 118 }, (_, x) => (x + 46 < 105 ? 255 : 0)));
  });

  it('tells where on its object each defect is, and finds each foreground once', async () => {
    const dataset = Dataset.from({
      types: {
        crack: [
          photograph(300, 200, [
            [100, 90, 10],
            [200, 104, 10],
          ]),
        ],
      },
      good: [photograph(300, 200, []).image],
    });
    const sizes: number[][] = [];
    const band: FindForeground = async (_, { width, height }) => {
      sizes.push([width, height]);
      // A bar from 60 to 260 and from 80 to 110 pixels.
      const isInside = (x: number, y: number) => x >= 60 && x < 260 && y >= 80 && y < 110;
      const data = Uint8Array.from({ length: width * height }, (_, i) =>
        isInside(i % width, Math.floor(i / width)) ? 255 : 0,
      );
      return new RawImage({ data, width, height, channels: 1 });
    };
    const foregrounds = { find: band, inRegions: false };
    const types = ['crack', 'good'];
    const { regions } = await loadTrainingImages(dataset, { ...options, types }, foregrounds);
    expect(sizes).toEqual([[300, 200]]);
    const [left, right, good] = regions as [TrainingRegion, TrainingRegion, TrainingRegion];
    for (const region of regions) expect(region).not.toHaveProperty('foregroundPixels');
    // The middles of the defects are 55 pixels before and 45 after that of the bar, whose spread is 200 / sqrt(12).
    expect(left.centre?.object).toMatchObject({ axis: 'unsigned', angle: 0, inside: 1 });
    expect(right.centre?.object?.inside).toBe(0.6); // Four of its ten rows lie below the bar.
    expect(left.centre?.object?.u).toBeCloseTo((-55 * Math.sqrt(12)) / 200, 3);
    expect(right.centre?.object?.u).toBeCloseTo((45 * Math.sqrt(12)) / 200, 3);
    expect(good).not.toHaveProperty('centre');
    const plain = await load(dataset, { types });
    expect(await digestOf(plain.regions)).toBe(await digestOf(regions)); // Earlier runs can be resumed.
    expect(plain.regions[0]?.centre).toEqual({ x: 105 / 300, y: 95 / 200 });
    await loadTrainingImages(dataset, { ...options, window: 'off' }, foregrounds);
    expect(sizes).toHaveLength(1);
  });

  it('says what is wrong with masks and types', async () => {
    const dataset = cracks(photograph(300, 200, [[100, 90, 10]]));
    await expect(load(cracks(photograph(90, 90, [])))).rejects.toThrow('The mask crack[0].mask is empty');
    const dot = cracks(photograph(4000, 3000, [[2000, 1500, 2]]));
    await expect(load(dot, { window: 2048 })).rejects.toThrow(
      'A defect in crack[0].mask vanishes where 2048 pixels become 64: use smaller windows or a higher resolution',
    );
    await expect(load(dataset, { types: ['dent'] })).rejects.toThrow('has no defect type dent; it has crack');
    await expect(load(dataset, { types: ['good'] })).rejects.toThrow('Expected a defect type beside good');
    await expect(load(dataset, { types: ['crack', 'good'] })).rejects.toThrow(
      'has no good images, which the type good learns from: expected them in good of Dataset.from',
    );
  });
});

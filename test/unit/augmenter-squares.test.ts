/** The squares of the recipe augment: windows have the photographs' own pixels. */
import { describe, expect, it } from 'vitest';
import { RawImage } from '../../lib/core/image.js';
import { cutOut } from '../../lib/dataset/cut.js';
import { Dataset } from '../../lib/dataset/dataset.js';
import { loadGoodWindows } from '../../lib/dataset/good-regions.js';
import { loadDefectSquares, loadGroundSquares } from '../../lib/recipes/augmenter-squares.js';

const WINDOW = 64;
const settings = { resolution: WINDOW, fit: 'crop' as const, window: WINDOW };

/** A photograph whose red and green tell the column and the row of each pixel. `number` is its blue. */
function photograph(width: number, height: number, number = 0): RawImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) data.set([i % width, Math.floor(i / width), number], 3 * i);
  return new RawImage({ data, width, height, channels: 3 });
}

/** The mask of one box in a photograph of this size. */
function maskOf(width: number, height: number, box: { left: number; top: number; side: number }): RawImage {
  const data = new Uint8Array(width * height);
  for (let y = 0; y < box.side; y++)
    data.fill(255, (box.top + y) * width + box.left, (box.top + y) * width + box.left + box.side);
  return new RawImage({ data, width, height, channels: 1 });
}

/** The good photographs of a dataset, which needs a defect, too. */
function sourcesOf(good: RawImage[]) {
  const crack = { image: photograph(8, 8), mask: maskOf(8, 8, { left: 2, top: 2, side: 2 }) };
  return Dataset.from({ types: { crack: [crack] }, good }).goodImages();
}

async function collect<T>(chunks: AsyncIterable<T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const chunk of chunks) all.push(...chunk);
  return all;
}

describe('the squares of augment', () => {
  it('are windows around defects that are not resized', async () => {
    const [image, mask] = [photograph(250, 160), maskOf(250, 160, { left: 100, top: 140, side: 8 })];
    const examples = await Dataset.from({ types: { crack: [{ image, mask }] } }).examples('crack');
    const [square, ...others] = await loadDefectSquares(examples, settings);
    expect(others).toEqual([]);
    const box = { left: 104 - WINDOW / 2, top: 160 - WINDOW, width: WINDOW, height: WINDOW }; // The photograph ends there.
    expect(Buffer.from(square?.pixels.data ?? []).equals((await cutOut(image, box, box)).data)).toBe(true);
    expect(square?.maskPixels.data.reduce((sum, value) => sum + value / 255, 0)).toBe(64);
  });

  it('are one for each of several defects of a photograph', async () => {
    const first = maskOf(250, 160, { left: 10, top: 10, side: 6 });
    const second = maskOf(250, 160, { left: 200, top: 100, side: 6 });
    const mask = new RawImage({ ...first, data: first.data.map((value, i) => value | (second.data[i] as number)) });
    const examples = await Dataset.from({ types: { crack: [{ image: photograph(250, 160), mask }] } }).examples(
      'crack',
    );
    expect(await loadDefectSquares(examples, settings)).toHaveLength(2);
  });

  it('are windows of good photographs that cover about as much as there is, and no more than fit into memory', async () => {
    const good = [photograph(200, 130, 1), photograph(64, 64, 2), photograph(200, 130, 3)];
    const images = await sourcesOf(good);
    const numberOf = ({ pixels }: { pixels: { data: Uint8Array } }) => pixels.data[2];
    const squares = await collect(loadGroundSquares(images, settings));
    const count = (number: number) => squares.filter((square) => numberOf(square) === number).length;
    expect([1, 2, 3].map(count)).toEqual([12, 1, 12]);
    expect(new Set(squares.map(({ pixels }) => pixels.data.slice(0, 3).join())).size).toBe(25); // All begin elsewhere.
    for (const { pixels, maskPixels } of squares) {
      expect([pixels.width, pixels.height, pixels.data[3]]).toEqual([WINDOW, WINDOW, (pixels.data[0] as number) + 1]);
      expect(maskPixels.data.every((value) => value === 0)).toBe(true);
    }
    const few = await collect(loadGoodWindows(images, settings, 7));
    expect(few.map(numberOf)).toEqual([1, 1, 2, 3, 3]);
    expect((await collect(loadGoodWindows(images, settings, 2))).map(numberOf)).toEqual([1, 2]);
    expect(await collect(loadGoodWindows(images, settings, 0))).toHaveLength(1);
  });

  it('mirror photographs that are smaller than a window, and are none without photographs', async () => {
    const images = await sourcesOf([photograph(40, 200)]);
    for (const { pixels } of await collect(loadGroundSquares(images, settings))) {
      const row = Array.from({ length: WINDOW }, (_, x) => pixels.data[3 * x]);
      expect(row.slice(0, 13)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]);
    }
    expect(await collect(loadGroundSquares([], settings))).toEqual([]);
  });
});

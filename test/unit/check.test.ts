import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { checkScreen } from '../../lib/cli/check-screen.js';
import { RawImage } from '../../lib/core/image.js';
import { Dataset } from '../../lib/dataset/dataset.js';
import { PairWriter } from '../../lib/dataset/pair-writer.js';
import { loadTrainingImages } from '../../lib/dataset/training-images.js';
import { type CategoryCheck, check } from '../../lib/jobs/check.js';
import type { JobEvent } from '../../lib/jobs/job.js';
import { adviseRecipe } from '../../lib/jobs/recipe-advice.js';
import { writeExample } from '../helpers/dataset.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
let made = 0;
const fresh = () => join(folder, `${made++}`);

/** Writes a colour gradient, which differs with `phase`. */
async function writeGradient(file: string, phase: number, width = 40, height = 30): Promise<void> {
  mkdirSync(join(file, '..'), { recursive: true });
  const data = Buffer.from(
    Array.from({ length: width * height * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
      return 128 + (100 - 20 * (i % 3)) * Math.sin((x * (1 + phase) + y * phase * phase) / (0.3 * width));
    }),
  );
  const pixels = sharp(data, { raw: { width, height, channels: 3 } });
  await (file.endsWith('.jpg') ? pixels.jpeg({ quality: 90 }) : pixels.png()).toFile(file);
}

async function checkOne(data: string, more: object = {}): Promise<CategoryCheck> {
  const { categories } = await check({ data, ...more });
  expect(categories).toHaveLength(1);
  return categories[0] as CategoryCheck;
}

describe('check', () => {
  it('counts types, images and defects, and measures them', async () => {
    const data = fresh();
    await writeExample(data, 'crack', '000', 40, 20, [4, 5, 8]);
    await writeExample(data, 'crack', '001', 60, 20, [4, 5, 4]);
    await writeGradient(join(data, 'train', 'good', '000.png'), 1);
    await writeGradient(join(data, 'test', 'good', '000.png'), 2);
    await writeGradient(join(data, 'test', 'good', '001.png'), 3);
    const one = await checkOne(data, { window: 'off', resolution: 16 });
    expect(one).toMatchObject({ format: 'mvtec', good: { train: 1, test: 2 }, turned: [], doubles: [], problems: [] });
    expect(one.sizes).toEqual({ width: [40, 60], height: [20, 30] });
    expect(one.depths).toEqual({ '8-bit grey': 2, '8-bit colour': 3 });
    expect(one.types).toMatchObject([
      { type: 'crack', images: 2, usable: 2, defects: 2, extents: [4, 8, 8], window: 'off' },
    ]);
    expect(one.types[0]?.coverage[0]).toBeCloseTo(16 / 1200);
    expect(one.types[0]?.coverage[2]).toBeCloseTo(64 / 800);
  });

  it('decides on the windows that training takes', async () => {
    for (const [size, box] of [
      [64, [10, 10, 5]],
      [300, [10, 10, 20]],
      [300, [10, 10, 100]],
    ] as const) {
      const data = fresh();
      await writeExample(data, 'crack', '000', size, size, [...box]);
      const options = { types: ['crack'], trainImages: 'all', resolution: 64, fit: 'crop', window: 'auto' } as const;
      const training = await loadTrainingImages(await Dataset.open(data), options);
      const [type] = (await checkOne(data, { resolution: 64 })).types;
      expect(type?.window).toBe(training.window);
      expect(training.notes[0]).toBe(type?.reason);
    }
  });

  it('collects all problems, in the words of the commands that fail on them', async () => {
    const data = fresh();
    for (const name of ['000', '001', '002', '003', '004']) await writeExample(data, 'crack', name, 40, 20, [4, 5, 8]);
    const mask = (name: string) => join(data, 'ground_truth', 'crack', `${name}_mask.png`);
    rmSync(mask('000'));
    const grey = { channels: 3 as const, background: 'black' };
    await sharp({ create: { width: 41, height: 20, ...grey } })
      .png()
      .toFile(mask('001'));
    await sharp({ create: { width: 40, height: 20, ...grey } })
      .png()
      .toFile(mask('002'));
    const levels = Buffer.from(Array.from({ length: 800 }, (_, i) => Math.floor((i % 40) / 10)));
    await sharp(levels, { raw: { width: 40, height: 20, channels: 1 } })
      .png()
      .toFile(mask('003'));
    await writeGradient(join(data, 'train', 'good', '000.png'), 1);
    const good = join(data, 'train', 'good', '001.png');
    writeFileSync(good, readFileSync(join(data, 'train', 'good', '000.png')).subarray(0, 200));
    const one = await checkOne(data);
    expect(one.types).toMatchObject([{ images: 5, usable: 1 }]);
    expect(one.problems).toHaveLength(5);
    const dataset = await Dataset.open(data);
    const examples = await dataset.examples('crack');
    for (const [index, example] of examples.slice(0, 4).entries()) {
      const { code, message } = one.problems[index] as { code: string; message: string };
      await expectFailure(Dataset.load([example], 16, 'crop'), code, message);
    }
    expect(one.problems.map(({ message }) => message).join('\n')).toMatch(
      /has no mask.*\n.*is 41 x 20.*\n.*is empty.*\n.*levels 0, 1, 2 and 3.*\n.*001\.png is not a readable image/,
    );
  });

  it('goes on where a type or a category cannot be listed', async () => {
    const data = fresh();
    await writeExample(join(data, 'a'), 'crack', '000', 40, 20, [4, 5, 8]);
    await writeExample(join(data, 'a'), 'hole', '000', 40, 20, [4, 5, 8]);
    writeFileSync(join(data, 'a', 'test', 'hole', '000.jpg'), 'x'); // Both would share a mask.
    mkdirSync(join(data, 'b', 'test'), { recursive: true });
    const { categories, problems } = await check({ data });
    expect(categories.map(({ format, types }) => [format, types.length])).toEqual([
      ['mvtec', 1],
      ['mvtec', 0],
    ]);
    expect(problems).toBe(2);
    expect(categories[0]?.problems[0]?.message).toContain('rename one of them');
    expect(categories[1]?.problems[0]?.message).toContain('holds no defect type');
  });

  it('finds doubles that were encoded anew or resized, and no others', async () => {
    const data = fresh();
    await writeExample(data, 'crack', '000', 40, 20, [4, 5, 8]);
    const good = (name: string) => join(data, 'train', 'good', name);
    for (const phase of [1, 2, 3, 4]) await writeGradient(good(`${phase}.png`), phase, 240, 180);
    writeFileSync(good('copy.png'), readFileSync(good('1.png')));
    await sharp(good('2.png')).jpeg({ quality: 80 }).toFile(good('anew.jpg'));
    await sharp(good('3.png')).resize(120, 90).png().toFile(good('small.png'));
    const { doubles } = await checkOne(data);
    const names = doubles.map((group) => group.map((path) => path.split('/').at(-1)).sort());
    expect(names.sort()).toEqual([
      ['1.png', 'copy.png'],
      ['2.png', 'anew.jpg'],
      ['3.png', 'small.png'],
    ]);
  });

  it('names images that their EXIF orientation turns', async () => {
    const data = fresh();
    await writeExample(data, 'crack', '000', 40, 20, [4, 5, 8]);
    const file = join(data, 'train', 'good', 'a.jpg');
    await writeGradient(file, 1);
    const pixels = readFileSync(file);
    await sharp(pixels).withMetadata({ orientation: 6 }).toFile(file);
    const one = await checkOne(data);
    expect(one.turned).toEqual(['train/good/a.jpg']);
    expect(one.sizes?.width[0]).toBe(30); // 40 x 30 pixels lie on their side.
  });

  it('names masks that may be inverted', async () => {
    const data = fresh();
    await writeExample(data, 'crack', '000', 40, 20, [4, 5, 8]);
    await writeExample(data, 'crack', '001', 40, 20, [4, 5, 8]);
    const mask = join(data, 'ground_truth', 'crack', '001_mask.png');
    writeFileSync(mask, await sharp(readFileSync(mask)).negate().png().toBuffer());
    expect(await checkOne(data)).toMatchObject({ inverted: ['test/crack/001.png'], problems: [] });
  });

  it('says what is cut and what vanishes', async () => {
    const data = fresh();
    await writeExample(data, 'crack', '000', 256, 64, [4, 5, 40]);
    await writeExample(data, 'crack', '001', 256, 256, [100, 100, 3]);
    const whole = await checkOne(data, { window: 'off', resolution: 16 });
    expect(whole.types[0]?.losses).toEqual({ inPieces: 0, cut: [], vanished: ['test/crack/001.png'], left: 0 });
    const options = { types: ['crack'], trainImages: 'all', resolution: 16, fit: 'crop' } as const;
    const dataset = await Dataset.open(data);
    await expectFailure(loadTrainingImages(dataset, { ...options, window: 'off' }), 'ERR_DATASET_INVALID', 'vanishes');
    const windows = await checkOne(data, { window: 32, resolution: 32 });
    expect(windows.types[0]?.losses).toEqual({ inPieces: 1, cut: [], vanished: [], left: 0 });
    const shrunk = await checkOne(data, { window: 128, resolution: 16 });
    expect(shrunk.types[0]?.losses.vanished).toEqual(['test/crack/001.png']);
    await expectFailure(loadTrainingImages(dataset, { ...options, window: 128 }), 'ERR_DATASET_INVALID', 'vanishes');
    const wide = fresh();
    await writeExample(wide, 'crack', '000', 200, 60, [4, 5, 20]);
    await writeExample(wide, 'crack', '001', 200, 60, [150, 5, 20]);
    // One image with two defects that are farther apart than the square is wide.
    const two = join(wide, 'ground_truth', 'crack', '000_mask.png');
    const other = readFileSync(join(wide, 'ground_truth', 'crack', '001_mask.png'));
    const both = await sharp(readFileSync(two))
      .composite([{ input: other, blend: 'lighten' }])
      .png()
      .toBuffer();
    writeFileSync(two, both);
    expect((await checkOne(wide, { window: 'off', resolution: 32 })).types[0]?.losses.cut).toEqual([
      'test/crack/000.png',
    ]);
  });

  it('looks at generated pairs, of which a type may be called test', async () => {
    const results = fresh();
    const grey = new RawImage({ data: new Uint8Array(64).fill(90), width: 8, height: 8, channels: 1 });
    for (const type of ['test', 'crack']) {
      await using writer = await PairWriter.open(join(results, type, 'dataset'), { type });
      const mask = new RawImage({ ...grey, data: new Uint8Array(64).fill(255, 0, 5) });
      for (const index of [0, 1]) await writer.write({ index, seed: 1, image: grey, part: grey, mask });
    }
    rmSync(join(results, 'crack', 'dataset', 'test', 'crack', '000001.png'));
    const one = await checkOne(results);
    expect(one).toMatchObject({
      format: 'pairs',
      types: [
        { type: 'crack', usable: 1 },
        { type: 'test', usable: 2 },
      ],
    });
    expect(one.problems).toMatchObject([{ code: 'ERR_FILE_ACCESS' }]);
    expect(one.recipe).toBeUndefined();
  });

  it('refuses the windows that training refuses', async () => {
    const data = fresh();
    await writeExample(data, 'crack', '000', 40, 20, [4, 5, 8]);
    const options = { types: ['crack'], trainImages: 'all', resolution: 16 } as const;
    const dataset = await Dataset.open(data);
    for (const [window, fit] of [
      [1000, 'crop'],
      [32, 'stretch'],
    ] as const) {
      const refused = await loadTrainingImages(dataset, { ...options, window, fit }).catch((error) => error.message);
      await expectFailure(check({ data, resolution: 16, window, fit }), 'ERR_INVALID_OPTION', refused);
    }
  });

  it('fits on a screen and reports progress', async () => {
    const data = fresh();
    for (let i = 0; i < 12; i++) {
      await writeExample(data, 'crack', `${i}`, 40, 20, [4, 5, 8]);
      rmSync(join(data, 'ground_truth', 'crack', `${i}_mask.png`));
    }
    const events: JobEvent[] = [];
    const screen = checkScreen(await check({ data }, { onEvent: (event) => events.push(event) }));
    expect(events.at(-1)).toMatchObject({ event: 'progress', stage: 'check', unit: 'images', done: 12, total: 12 });
    expect(screen.split('\n').length).toBeLessThanOrEqual(24);
    expect(screen).toContain('0 of 12');
    expect(screen).toContain('problems: 12');
    expect(screen).toContain('and 4 more: see --json');
    expect(screen).toMatch(/roughly .* to train a type/);
  });

  it('ends on an abort', async () => {
    const data = fresh();
    await writeExample(data, 'crack', '000', 40, 20, [4, 5, 8]);
    const abort = new AbortController();
    abort.abort(new Error('enough'));
    await expectFailure(check({ data }, { signal: abort.signal }), 'ERR_ABORTED');
  });
});

describe('adviseRecipe', () => {
  it.each([
    [0, 128, 'noise'],
    [3, 128, 'noise'],
    [20, 128, 'place'],
    [20, 'off', 'augment'],
  ] as const)('for %i good images and the window %s is %s', (good, window, recipe) => {
    expect(adviseRecipe(good, [{ window, usable: 5 }]).recipe).toBe(recipe);
  });
});

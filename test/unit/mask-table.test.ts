import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readMask, readMaskOf } from '../../lib/dataset/mask-file.js';
import { rowsOf } from '../helpers/docs-table.js';
import { png, tiff } from '../helpers/png-tiff.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const [width, height] = [48, 40];
const size = { width, height };
const inside = (x: number, y: number, [left, top, side]: readonly [number, number, number]) =>
  x >= left && x < left + side && y >= top && y < top + side;
const SQUARE = [10, 12, 14] as const;
const SECOND = [34, 4, 8] as const;
const at = <T>(make: (x: number, y: number) => T): T[] =>
  Array.from({ length: width * height }, (_, i) => make(i % width, Math.floor(i / width)));

/** The square at a level, and a second one. */
const levels = (off: number, on: number, second = off) =>
  at((x, y) => (inside(x, y, SQUARE) ? on : inside(x, y, SECOND) ? second : off));
const square = levels(0, 255);
const all = levels(255, 255);
const none = levels(0, 0);
type Colour = readonly [number, number, number];
const coloured = (off: Colour, on: Colour, second = off) =>
  at((x, y) => (inside(x, y, SQUARE) ? on : inside(x, y, SECOND) ? second : off)).flat();

const grey = (samples: readonly number[], bits: 8 | 16 = 8) => png({ ...size, bits, samples });
const rgb = (samples: readonly number[]) => png({ ...size, bits: 8, colourType: 2, samples });
const greyAlpha = (of: readonly number[], alpha: readonly number[]) =>
  png({ ...size, bits: 8, colourType: 4, samples: of.flatMap((level, i) => [level, alpha[i] as number]) });
const palette = (...entries: Colour[]) =>
  png({ ...size, bits: 4, colourType: 3, samples: levels(0, entries.length - 1), palette: entries.flat() });
const BLACK: Colour = [0, 0, 0];

/** Lines through the square's border pixels are half covered. */
const softened = (peak: number) =>
  at((x, y) => {
    const cover = (i: number, from: number) =>
      Math.min(1, Math.max(0, i + 1 - from - 0.5), Math.max(0, from + 14.5 - i));
    return Math.round(peak * Math.min(1, cover(x, 10)) * Math.min(1, cover(y, 12)));
  });
const upper = (of: readonly number[], peak: number) => of.map((level) => (2 * level >= peak ? 255 : 0));
const raw = (of: readonly number[]) => sharp(Buffer.from(of), { raw: { ...size, channels: 1 } }).toColourspace('b-w');
const rgbRaw = (of: readonly number[]) => sharp(Buffer.from(of), { raw: { ...size, channels: 3 } });

interface Row {
  files: () => (Buffer | Promise<Buffer>)[];
  gives: readonly number[] | RegExp;
  /** Pixels that may differ, of blurred and lossy ones. */
  within?: number;
}

const table: Record<string, Row> = {
  '0 and 255': { files: () => [grey(square), raw(square).webp({ lossless: true }).toBuffer()], gives: square },
  'two other levels, such as 0 and 1': {
    files: () => [grey(levels(0, 1)), grey(levels(0, 120)), grey(levels(120, 255)), grey(levels(254, 255))],
    gives: square,
  },
  'two levels of 16 bits': {
    files: () => [grey(levels(0, 1), 16), grey(levels(0, 65535), 16), grey(levels(0, 300), 16)],
    gives: square,
  },
  'two levels of floats from 0 to 1': {
    files: () => [levels(0, 1), levels(0, 0.25)].map((of) => tiff({ ...size, samples: Float32Array.from(of) })),
    gives: square,
  },
  'one level above 0': {
    files: () => [
      grey(all),
      grey(levels(1, 1)),
      grey(all.map((level, i) => level - (i % 5))),
      raw(all).jpeg().toBuffer(),
    ],
    gives: all,
  },
  'one level of 0': { files: () => [grey(none), grey(none, 16), raw(none).jpeg().toBuffer()], gives: none },
  'white, with the defect in alpha': {
    files: () => [greyAlpha(all, square), greyAlpha(all, levels(0, 9))],
    gives: square,
  },
  'black, with the defect in alpha': { files: () => [greyAlpha(levels(255, 0), square)], gives: /has transparency/ },
  'black and one colour': {
    files: () =>
      (
        [
          [255, 0, 0],
          [0, 0, 255],
          [128, 0, 0],
          [0, 0, 1],
        ] as Colour[]
      ).map((colour) => rgb(coloured(BLACK, colour))),
    gives: square,
  },
  'a palette of black and one colour': {
    files: () => [palette(BLACK, [128, 0, 0]), palette(BLACK, [0, 0, 255]), palette(BLACK, [1, 1, 1])],
    gives: square,
  },
  'a coloured background': { files: () => [rgb(coloured([255, 0, 0], [255, 255, 255]))], gives: /coloured: #ff0000/ },
  'soft edges': { files: () => [softened(255), softened(200)].map((of) => grey(of)), gives: upper(softened(255), 255) },
  'soft edges of a colour': {
    files: () => [
      rgb(softened(255).flatMap((level) => [level, 0, 0])),
      rgb(softened(255).flatMap((level) => [0, 0, level])),
    ],
    gives: upper(softened(255), 255),
  },
  blurred: {
    files: () =>
      [2, 4, 6].flatMap((sigma) => {
        const picture = () => raw(square).blur(sigma).toColourspace('b-w');
        return [picture().png().toBuffer(), picture().jpeg({ quality: 85 }).toBuffer()];
      }),
    gives: square,
    within: 90, // corners are rounded
  },
  'saved as JPEG': {
    files: () => [
      ...[60, 80, 95].map((quality) => raw(square).jpeg({ quality }).toBuffer()),
      rgbRaw(coloured(BLACK, [255, 0, 0]))
        .jpeg({ quality: 90 })
        .toBuffer(),
      rgbRaw(coloured(BLACK, [0, 0, 255]))
        .jpeg({ quality: 90 })
        .toBuffer(),
      raw(square).webp({ quality: 80 }).toBuffer(),
    ],
    gives: square,
    within: 40,
  },
  'class numbers, such as 0, 1 and 2': {
    files: () => [grey(levels(0, 1, 2)), grey(levels(0, 2, 1), 16)],
    gives: /has the levels 0, 1 and 2: it must have two/,
  },
  'several levels, such as 0, 120 and 255': {
    files: () => [
      grey(levels(0, 120, 255)),
      grey(levels(0, 255, 120)),
      grey(
        levels(0, 120, 255).map((of) => of * 257),
        16,
      ),
    ],
    gives: /has the levels 0, (120 and 255|308\d\d and 65535): it must have two/,
  },
  'several levels as JPEG': {
    files: () => [
      raw(levels(0, 120, 255))
        .jpeg({ quality: 90 })
        .toBuffer(),
      raw(levels(0, 255, 100))
        .jpeg({ quality: 80 })
        .toBuffer(),
    ],
    gives: /has the levels 0, \d+ and 25\d: it must have two/,
  },
  'several colours': {
    files: () => [rgb(coloured(BLACK, [255, 0, 0], [0, 255, 0])), rgb(coloured(BLACK, [128, 0, 0], [224, 224, 192]))],
    gives: /has the levels #000000, #(ff0000 and #00ff00|800000 and #e0e0c0): it must have two/,
  },
};

describe('readMaskOf', () => {
  it('warns of a mask that may be inverted', async () => {
    const warnings: string[] = [];
    process.on('warning', ({ message }) => warnings.push(message));
    for (const [name, of] of Object.entries({ inverted: levels(255, 0), whole: all, plain: square })) {
      const path = join(folder, `${name}.png`);
      writeFileSync(path, grey(of));
      await readMaskOf({ source: 'image.png', ...size, orientation: 1 }, path);
    }
    await setImmediate();
    expect(warnings).toEqual([expect.stringMatching(/inverted\.png marks the whole border/)]);
  });
});

describe('docs/images.md, masks', () => {
  it('has a row for each of these files, and no other', () => {
    expect(rowsOf('images.md', 'Masks')).toEqual(Object.keys(table));
  });

  it.each(Object.entries(table))('%s', async (name, { files, gives, within = 0 }) => {
    for (const [i, content] of files().entries()) {
      const file = join(folder, `${Object.keys(table).indexOf(name)}-${i}.dat`);
      writeFileSync(file, await content);
      if (gives instanceof RegExp) {
        const error = await readMask(file).then(
          () => new Error('it is read'),
          (thrown: Error) => thrown,
        );
        expect(error, `file ${i}`).toMatchObject({ code: 'ERR_DATASET_INVALID' });
        expect(error.message).toMatch(gives);
        expect(error.message).toContain(file);
        continue;
      }
      const mask = await readMask(file);
      expect(mask).toMatchObject({ width, height, channels: 1 });
      expect(mask.data.every((value) => value === 0 || value === 255)).toBe(true);
      const different = gives.filter((value, k) => value !== mask.data[k]).length;
      expect(different, `${name}, file ${i}`).toBeLessThanOrEqual(within);
    }
  });
});

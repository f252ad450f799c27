import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readImage } from '../../lib/dataset/image-file.js';
import { bitmap, fromBits, inBits, indexed, masks8888, packedRgb, rgba32, rle } from '../helpers/bitmaps.js';
import { bmp } from '../helpers/bmp.js';
import { rowsOf } from '../helpers/docs-table.js';
import {
  alpha,
  at,
  camera,
  colours,
  count,
  few,
  grey,
  height,
  inGrey,
  interleaved,
  packed,
  palette,
  rgb,
  size,
  source,
  spread,
  wide,
  width,
} from '../helpers/pictures.js';
import { chunk, png, tiff } from '../helpers/png-tiff.js';
import { taggedPng } from '../helpers/profile.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
type Content = Buffer | Promise<Buffer>;
interface Row {
  /** One file for each kind that the row names. */
  files: () => Content[];
  /** RGB, for each of the files; or what the error says. */
  gives: readonly number[] | readonly (readonly number[])[] | RegExp;
  /** Levels by which it may differ: of lossy formats. */
  within?: number;
  /** A warning about the file says this. */
  warns?: RegExp;
}

const twoFrames = async () => {
  const frames = [await source().png().toBuffer(), await source().negate().png().toBuffer()];
  return sharp(frames, { join: { animated: true } });
};
const compressed = (name: 'gif' | 'webp') => twoFrames().then((image) => image[name]().toBuffer());
const grey1: Row['gives'] = spread(1);
const cut = async (content: Content) => {
  const whole = await content;
  return whole.subarray(0, Math.floor(whole.length * 0.7));
};
const noise = () => source(rgb.map((value, i) => (value + i * 7919) % 256));
const header = (w: number, h: number) => {
  const file = png({ width: 8, height: 8, bits: 8, samples: Array<number>(64).fill(9) });
  const head = Buffer.from(file.subarray(16, 29));
  head.writeUInt32BE(w, 0);
  head.writeUInt32BE(h, 4);
  return Buffer.concat([file.subarray(0, 8), chunk('IHDR', head), file.subarray(33)]);
};
const uint16 = (levels: readonly number[]) => Uint16Array.from(levels);
const floats = (levels: readonly number[]) => Float32Array.from(levels, (level) => level / 255);

const table: Record<string, Row> = {
  'PNG, grey, 1 bit': { files: () => [png({ ...size, bits: 1, samples: few(1) })], gives: grey1 },
  'PNG, grey, 2 bits': { files: () => [png({ ...size, bits: 2, samples: few(2) })], gives: spread(2) },
  'PNG, grey, 4 bits': { files: () => [png({ ...size, bits: 4, samples: few(4) })], gives: spread(4) },
  'PNG, grey, 8 bits': { files: () => [png({ ...size, bits: 8, samples: grey })], gives: inGrey(grey) },
  'PNG, grey, 16 bits': { files: () => [png({ ...size, bits: 16, samples: wide(grey) })], gives: inGrey(grey) },
  'PNG, RGB, 8 bits': { files: () => [png({ ...size, bits: 8, colourType: 2, samples: rgb })], gives: rgb },
  'PNG, RGB, 16 bits': { files: () => [png({ ...size, bits: 16, colourType: 2, samples: wide(rgb) })], gives: rgb },
  'PNG, palette of 1, 2, 4 or 8 bits': {
    files: () =>
      ([1, 2, 4, 8] as const).map((bits) =>
        png({ ...size, bits, colourType: 3, samples: few(bits), palette: colours(bits).flat() }),
      ),
    gives: [1, 2, 4, 8].map(palette),
  },
  'PNG, 12 bits in 16': {
    files: () => [png({ ...size, bits: 16, samples: camera(12) })],
    gives: inGrey(grey),
    warns: /read as 12 bits/,
  },
  'PNG, grey with alpha': {
    files: () => [
      png({ ...size, bits: 8, colourType: 4, samples: interleaved(1, alpha) }),
      png({ ...size, bits: 16, colourType: 4, samples: wide(interleaved(1, alpha)) }),
    ],
    gives: [inGrey(grey), inGrey(grey)],
    warns: /has transparent pixels/,
  },
  'PNG, RGB with alpha': {
    files: () => [
      png({ ...size, bits: 8, colourType: 6, samples: interleaved(3, alpha) }),
      png({ ...size, bits: 16, colourType: 6, samples: wide(interleaved(3, alpha)) }),
    ],
    gives: [rgb, rgb],
    warns: /has transparent pixels/,
  },
  'PNG, animated': {
    files: () => [
      png({ ...size, bits: 8, samples: grey, more: [chunk('acTL', Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 0))] }),
    ],
    gives: /holds several pages or frames/,
  },
  'JPEG, grey': { files: () => [source(grey, 1).jpeg({ quality: 100 }).toBuffer()], gives: inGrey(grey), within: 2 },
  'JPEG, RGB': {
    files: () => [source().jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer()],
    gives: rgb,
    within: 6,
  },
  'JPEG, CMYK': {
    files: () => [source(inGrey(grey)).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer()],
    gives: inGrey(grey),
    within: 40, // its black is that of ink
  },
  'TIFF, 1 bit': { files: () => [tiff({ ...size, samples: packed(1), bits: 1 })], gives: grey1 },
  'TIFF, 2 bits': { files: () => [tiff({ ...size, samples: packed(2), bits: 2 })], gives: spread(2) },
  'TIFF, 4 bits': { files: () => [tiff({ ...size, samples: packed(4), bits: 4 })], gives: spread(4) },
  'TIFF, grey, 8 bits': { files: () => [tiff({ ...size, samples: Uint8Array.from(grey) })], gives: inGrey(grey) },
  'TIFF, grey, 8 bits, white is 0': {
    files: () => [tiff({ ...size, samples: Uint8Array.from(grey), photometric: 0 })],
    gives: inGrey(grey.map((level) => 255 - level)),
  },
  'TIFF, grey, 12 bits, packed': {
    files: () => [tiff({ ...size, samples: new Uint8Array(1.5 * count), bits: 12 })],
    gives: /a TIFF of 12-bit integers/,
  },
  'TIFF, grey, 16 bits': { files: () => [tiff({ ...size, samples: uint16(wide(grey)) })], gives: inGrey(grey) },
  'TIFF, 10 bits in 16': {
    files: () => [tiff({ ...size, samples: uint16(camera(10)) })],
    gives: inGrey(grey),
    warns: /read as 10 bits/,
  },
  'TIFF, RGB, 8 bits': {
    files: () => [tiff({ ...size, samples: Uint8Array.from(rgb), channels: 3, photometric: 2 })],
    gives: rgb,
  },
  'TIFF, RGB, 16 bits': {
    files: () => [tiff({ ...size, samples: uint16(wide(rgb)), channels: 3, photometric: 2 })],
    gives: rgb,
  },
  'TIFF, floats from 0 to 1': { files: () => [tiff({ ...size, samples: floats(grey) })], gives: inGrey(grey) },
  'TIFF, RGB, floats from 0 to 1': {
    files: () => [tiff({ ...size, samples: floats(rgb), channels: 3, photometric: 2 })],
    gives: rgb,
  },
  'TIFF, floats beyond 0 to 1': {
    files: () => [
      tiff({ ...size, samples: Float32Array.from(grey) }),
      tiff({ ...size, samples: floats(grey).map((value) => value - 0.5) }),
    ],
    gives: /has floats from (0 to 2\d\d|-0\.5 to 0\.\d+): expected 0/,
  },
  'TIFF, floats that are not finite': {
    files: () => [tiff({ ...size, samples: floats(grey).fill(Number.NaN, 5, 6) })],
    gives: /not finite/,
  },
  'TIFF, 64-bit floats': {
    files: () => [tiff({ ...size, samples: Float64Array.from(floats(grey)) })],
    gives: /a TIFF of 64-bit floats/,
  },
  'TIFF, grey, 16-bit floats': {
    files: () => [tiff({ ...size, samples: uint16(grey.map(() => 0x3800)), format: 3 })], // one half, all of them
    gives: /holds grey 16-bit floats/,
  },
  'TIFF, floats of which 0 is white': {
    files: () => [tiff({ ...size, samples: floats(grey), photometric: 0 })],
    gives: /holds floats of which 0 is white/,
  },
  'TIFF, signed integers, 8, 16 or 32 bits': {
    files: () => [Int8Array, Int16Array, Int32Array].map((Numbers) => tiff({ ...size, samples: Numbers.from(grey) })),
    gives: /holds signed (8|16|32)-bit integers|holds signed 32-bit integers/,
  },
  'TIFF, 32-bit integers': {
    files: () => [tiff({ ...size, samples: Uint32Array.from(grey, (level) => level * 16843009) })],
    gives: /holds 32-bit integers/,
  },
  'TIFF, CMYK': {
    files: () => [source(inGrey(grey)).toColourspace('cmyk').tiff({ compression: 'none' }).toBuffer()],
    gives: inGrey(grey),
    within: 40,
  },
  'TIFF, CIELAB': {
    files: () => [tiff({ ...size, samples: Uint8Array.from(rgb), channels: 3, photometric: 8 })],
    gives: /8-bit integers of CIELAB/,
  },
  'TIFF, 5 channels': {
    files: () => [tiff({ ...size, samples: new Uint8Array(5 * count), channels: 5 })],
    gives: /has 5 channels/,
  },
  'TIFF, several pages': {
    files: () => [tiff(...[grey, grey].map((page) => ({ ...size, samples: Uint8Array.from(page) })))],
    gives: /holds 2 pages/,
  },
  'WebP, lossless': { files: () => [source().webp({ lossless: true }).toBuffer()], gives: rgb },
  'WebP, lossy': {
    files: () => [source(inGrey(grey)).webp({ quality: 100 }).toBuffer()],
    gives: inGrey(grey),
    within: 8,
  },
  'WebP, animated': { files: () => [compressed('webp')], gives: /holds 2 pages/ },
  GIF: { files: () => [source(palette(4)).gif({ dither: 0 }).toBuffer()], gives: palette(4), within: 4 },
  'GIF, animated': { files: () => [compressed('gif')], gives: /holds 2 pages/ },
  AVIF: {
    files: () => [source(inGrey(grey)).avif({ lossless: true, effort: 0 }).toBuffer()],
    gives: inGrey(grey),
    within: 4,
  },
  SVG: {
    files: () => [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
    gives: /is SVG/,
  },
  'BMP, palette of 1, 2, 4 or 8 bits': {
    files: () => [1, 2, 4, 8].map((bits) => indexed(bits)),
    gives: [1, 2, 4, 8].map(palette),
  },
  'BMP, RLE4 and RLE8': { files: () => [rle(4), rle(8)], gives: [palette(4), palette(8)] },
  'BMP, a pixel beyond the palette': {
    files: () => [indexed(4, { palette: colours(4).slice(0, 9) })],
    gives: /colour \d+ of a palette of 9/,
  },
  'BMP, 16 bits, 555 or 565': {
    files: () => [
      bitmap({ bits: 16, pixels: inBits(5, 5, 5) }),
      bitmap({ bits: 16, pixels: inBits(5, 6, 5), masks: [0xf800, 0x7e0, 0x1f], compression: 3 }),
    ],
    gives: [fromBits(5, 5, 5), fromBits(5, 6, 5)],
  },
  'BMP, 24 bits': { files: () => [bitmap({ bits: 24, pixels: packedRgb })], gives: rgb },
  'BMP, 32 bits': { files: () => [bitmap({ bits: 32, pixels: packedRgb })], gives: rgb },
  'BMP, 32 bits with alpha': {
    files: () => [bitmap({ bits: 32, pixels: rgba32, masks: masks8888, compression: 3, header: 124 })],
    gives: rgb,
    warns: /has transparent pixels/,
  },
  'BMP, 10 bits a channel': {
    files: () => [
      bitmap({ bits: 32, pixels: inBits(10, 10, 10), masks: [0x3ff00000, 0xffc00, 0x3ff], compression: 3 }),
    ],
    gives: fromBits(10, 10, 10),
  },
  'BMP, top-down': { files: () => [bitmap({ bits: 24, pixels: packedRgb, topDown: true })], gives: rgb },
  'BMP, OS/2 header': {
    files: () => [
      indexed(4, { header: 12 }),
      bitmap({ bits: 24, pixels: packedRgb, header: 12 }),
      indexed(8, { header: 64 }),
    ],
    gives: [palette(4), rgb, palette(8)],
  },
  'BMP, headers of version 4 and 5': {
    files: () => [indexed(8, { header: 108 }), bitmap({ bits: 24, pixels: packedRgb, header: 124 })],
    gives: [palette(8), rgb],
  },
  'BMP, JPEG or PNG inside': {
    files: () => [4, 5].map((compression) => bitmap({ bits: 24, pixels: packedRgb, compression })),
    gives: /(JPEG or RLE24|PNG) inside is not supported/,
  },
  'a colour profile (ICC)': {
    files: () => [
      taggedPng(png({ ...size, bits: 8, colourType: 2, samples: rgb })),
      taggedPng(png({ ...size, bits: 16, colourType: 2, samples: wide(rgb) })),
    ],
    gives: rgb,
  },
  'EXIF orientation': {
    files: () => [source().withMetadata({ orientation: 3 }).png().toBuffer()],
    gives: at((x, y) => rgb.slice(3 * (count - 1 - (y * width + x)), 3 * (count - (y * width + x)))).flat(),
  },
  'a file that is cut off, of any format': {
    files: () =>
      [
        ...[noise().png(), noise().jpeg(), noise().jpeg({ progressive: true }), noise().tiff()].map((image) =>
          image.toBuffer(),
        ),
        ...[noise().webp(), noise().webp({ lossless: true }), noise().gif(), noise().avif()].map((image) =>
          image.toBuffer(),
        ),
        ...[
          bitmap({ bits: 24, pixels: packedRgb }),
          indexed(8),
          indexed(1),
          rle(8),
          rle(4),
          tiff({ ...size, samples: uint16(wide(grey)) }),
        ],
        bmp({
          width: 15000,
          height: 15000,
          bits: 8,
          pixels: [],
          palette: colours(8),
          compression: 1,
          data: Buffer.alloc(64),
        }),
      ].map(cut),
    gives: /is not a readable image/,
  },
  'more than 268 million pixels (2^28)': {
    files: () => [
      header(30000, 30000),
      bmp({ width: 30000, height: 30000, bits: 8, pixels: [], palette: colours(8), data: Buffer.alloc(5000) }),
    ],
    gives: /claims 30000 x 30000 pixels/,
  },
};

const warnings: string[] = [];
process.on('warning', ({ message }) => warnings.push(message));

describe('docs/images.md, images', () => {
  it('has a row for each of these files, and no other', () => {
    expect(rowsOf('images.md', 'Images')).toEqual(Object.keys(table));
  });

  it.each(Object.entries(table))('%s', async (name, { files, gives, within = 0, warns }) => {
    for (const [i, content] of files().entries()) {
      const own = join(folder, `${Object.keys(table).indexOf(name)}-${i}`); // 16 bits are told by the folder
      const file = join(own, 'image.dat');
      mkdirSync(own);
      writeFileSync(file, await content);
      if (gives instanceof RegExp) {
        const error = await readImage(file).then(
          () => new Error('it is read'),
          (thrown: Error) => thrown,
        );
        expect(error).toMatchObject({ code: 'ERR_DATASET_INVALID' });
        expect(error.message).toMatch(gives);
        expect(error.message).toContain(file);
        expect(error.message).not.toContain('\n');
        continue;
      }
      const expected = (Array.isArray(gives[0]) ? gives[i] : gives) as readonly number[];
      const image = await readImage(file);
      expect(image).toMatchObject({ width, height, channels: 3 });
      const differences = expected.map((value, k) => Math.abs(value - (image.data[k] as number)));
      expect(Math.max(...differences), `${name}, file ${i}`).toBeLessThanOrEqual(within);
      expect(image.data).toHaveLength(expected.length);
      await setImmediate(); // warnings come a little later
      const told = warnings.filter((message) => message.includes(own));
      expect(told).toEqual(warns ? [expect.stringMatching(warns)] : []);
    }
  });
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { Dataset } from '../../lib/dataset/dataset.js';
import { readImage } from '../../lib/dataset/image-file.js';
import { PhotographReader, photographsOf } from '../../lib/dataset/photograph.js';
import { exportDataset } from '../../lib/jobs/export.js';
import { taggedJpeg, taggedPng } from '../helpers/profile.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const size = { width: 8, height: 8 };
/** Saturated colours, which a conversion from Display P3 to sRGB changes by up to 100 levels. */
const rgb = Buffer.from(Array.from({ length: 64 }, (_, i) => [200, 30 + (i % 8), 20 + (i >> 3)]).flat());
const pixels = () => sharp(rgb, { raw: { ...size, channels: 3 } });
const place = (...names: string[]) => {
  const file = join(folder, ...names);
  mkdirSync(join(file, '..'), { recursive: true });
  return file;
};

describe('a photograph with the profile of Display P3', () => {
  it('would change if its profile were applied', async () => {
    const tagged = await taggedPng(await pixels().png().toBuffer());
    const converted = await sharp(tagged).toColourspace('srgb').raw().toBuffer();
    expect(converted[0]).toBeGreaterThan(210);
  });

  it('is read with its stored numbers by every reader', async () => {
    const png = await taggedPng(await pixels().png().toBuffer());
    for (const file of [
      ['test', 'crack', '0.png'],
      ['train', 'good', '0.png'],
    ])
      writeFileSync(place('tile', ...file), png);
    const mask = Buffer.alloc(64);
    mask.fill(255, 9, 12);
    await sharp(mask, { raw: { ...size, channels: 1 } }).toFile(place('tile', 'ground_truth', 'crack', '0_mask.png'));
    const data = join(folder, 'tile');
    const dataset = await Dataset.open(data);
    const [trained] = await Dataset.load(await dataset.examples('crack'), 8, 'crop');
    const [good] = await photographsOf(data);
    const photograph = await new PhotographReader().open(good as string);
    const out = join(folder, 'out');
    await exportDataset({ data, format: 'masks', out });
    const exported = await readImage(join(out, 'images', 'crack', 'crack_0.png'));
    for (const image of [trained?.pixels, photograph.image, await readImage(png), exported]) {
      expect(Buffer.from(image?.data ?? [])).toEqual(rgb);
    }
  });

  it('is read like the same JPEG without the profile', async () => {
    const plain = await pixels().jpeg({ quality: 95 }).toBuffer();
    const tagged = await taggedJpeg(plain);
    expect((await sharp(tagged).metadata()).hasProfile).toBe(true);
    expect(await readImage(tagged)).toEqual(await readImage(plain));
  });
});

describe('CMYK', () => {
  it('is converted to RGB', async () => {
    const cmyk = await pixels().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    const [red, green, blue] = (await readImage(cmyk)).data;
    expect([red, green, blue].map((value, i) => Math.abs((value as number) - (rgb[i] as number)) < 30)).toEqual([
      true,
      true,
      true,
    ]);
  });
});

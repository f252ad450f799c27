import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readImage } from '../../lib/dataset/image-file.js';
import { png } from '../helpers/png-tiff.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
/** An image of 16 bits whose samples go up to `most`. */
function write(most: number, ...path: string[]): string {
  const file = join(folder, ...path);
  mkdirSync(join(file, '..'), { recursive: true });
  const samples = Array.from({ length: 64 }, (_, i) => Math.round((most * i) / 63));
  writeFileSync(file, png({ width: 8, height: 8, bits: 16, samples }));
  return file;
}
const brightest = async (file: string) => (await readImage(file)).data.at(-1);

describe('16-bit samples of fewer bits', () => {
  it('are read alike in all of a category, dark images too', async () => {
    const dark = write(800, 'tile', 'test', 'crack', '000.png');
    write(3900, 'tile', 'train', 'good', 'batch1', '000.png');
    const alone = write(800, 'alone', '000.png');
    expect(await brightest(dark)).toBe(800 >> 4);
    expect(await brightest(join(folder, 'tile', 'train', 'good', 'batch1', '000.png'))).toBe(3900 >> 4);
    expect(await brightest(alone)).toBe(800 >> 2);
  });

  it('are 16 bits where any image of the category uses them', async () => {
    const dark = write(3000, 'full', 'test', 'crack', '000.png');
    write(60000, 'full', 'test', 'good', '000.png');
    expect(await brightest(dark)).toBe(3000 >> 8);
  });

  it('are looked at again when the images have changed', async () => {
    const dark = write(800, 'again', '000.png');
    write(3900, 'again', '001.png');
    expect(await brightest(dark)).toBe(800 >> 4);
    utimesSync(write(60000, 'again', '001.png'), 1, 1); // of the same size, perhaps in the same tick
    expect(await brightest(dark)).toBe(800 >> 8);
    utimesSync(write(900, 'again', '001.png'), 2, 2);
    expect(await brightest(dark)).toBe(800 >> 2);
  });

  it('are 8 bits where nothing is larger', async () => {
    expect(await brightest(write(200, 'eight', '000.png'))).toBe(200);
    expect(await brightest(write(0, 'black', '000.png'))).toBe(0);
  });

  it('are refused where one image is out of the range of those that were looked at', async () => {
    for (let i = 0; i < 129; i++) write(4000, 'many', `${100 + i}.png`);
    const bright = write(9000, 'many', '101.png'); // every second one is looked at
    expect(await brightest(join(folder, 'many', '100.png'))).toBe(4000 >> 4);
    await expect(readImage(bright)).rejects.toThrow(`${bright} has 16-bit samples up to 9000, but the other images`);
    await expect(readImage(bright)).rejects.toMatchObject({ code: 'ERR_DATASET_INVALID' });
    const full = write(60000, 'many', '102.png'); // nor is this one
    await expect(readImage(full)).rejects.toThrow(`${full} has 16-bit samples up to 60000, but the other images`);
  });
});

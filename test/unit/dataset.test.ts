import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { Dataset } from '../../lib/dataset/dataset.js';
import { boundingBox, fitAround } from '../../lib/dataset/fit.js';
import { readImage, resizeImage } from '../../lib/dataset/image-file.js';
import { loadBackgrounds } from '../../lib/model/foreground.js';
import { bmp } from '../helpers/bmp.js';
import { listAlone, writeCategory, writeExample } from '../helpers/dataset.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const category = join(folder, 'tile');
const load = async (type: string, resolution = 32) => {
  const dataset = await Dataset.open(category);
  return Dataset.load(await dataset.trainingExamples(type, '1/1'), resolution, 'crop');
};

beforeAll(async () => {
  await writeCategory(category, 'crack', 7);
  listAlone(category); // The pictures differ so little that they would be taken for one part.
  mkdirSync(join(category, 'test', 'good'), { recursive: true });
});

describe('Dataset', () => {
  it('finds the types and takes the first third, a number or a fraction', async () => {
    const dataset = await Dataset.open(category);
    expect(dataset.types).toEqual(['crack']);
    const names = async (share: string | number) =>
      (await dataset.trainingExamples('crack', share)).map((example) => example.name);
    expect(await names('1/3')).toEqual(['000', '001']);
    expect(await names(3)).toEqual(['000', '001', '002']);
    expect(await names('1/1')).toHaveLength(7);
    expect(await names('1/3@1')).toEqual(['000', '001']);
    expect(await names('1/3@3')).toEqual(['004', '005', '006']);
    expect(await names('2/3@1')).toEqual(['000', '001', '002', '003']);
    expect(await names('2/3@2')).toEqual(['002', '003', '004', '005', '006']);
    expect(await names('2/3@3')).toEqual(['000', '001', '004', '005', '006']); // The first third follows the last.
    expect(await names('2@2')).toEqual(['002', '003']);
    await expect(names(8)).rejects.toThrow('has 7 images of crack, but 8 are asked for');
    await expect(names('1/3@4')).rejects.toThrow('has 7 images of crack, but 1/3@4 are asked for');
  });

  it('trains on all images of a type unless a part is asked for, and on a single one', async () => {
    await writeExample(category, 'single', '000', 48, 48, [4, 4, 8]);
    const dataset = await Dataset.open(category);
    expect(await dataset.trainingExamples('crack')).toHaveLength(7);
    for (const share of ['all', '1/1', 1, '1@1']) {
      expect((await dataset.trainingExamples('single', share)).map(({ name }) => name)).toEqual(['000']);
    }
    await expect(dataset.trainingExamples('single', '1/3')).rejects.toThrow(
      'has 1 image of single: training on 1/3 of them needs at least 2',
    );
    mkdirSync(join(category, 'test', 'none'), { recursive: true });
    await expect((await Dataset.open(category)).trainingExamples('none')).rejects.toThrow(
      'has 0 images of none: training needs at least 1',
    );
    rmSync(join(category, 'test', 'none'), { recursive: true });
  });

  it('names what is missing', async () => {
    await expect(Dataset.open(join(folder, 'nowhere'))).rejects.toThrow('does not exist');
    await expect(Dataset.open(folder)).rejects.toThrow('but holds some (tile): name one of these folders');
    const dataset = await Dataset.open(category);
    await expect(dataset.examples('dent')).rejects.toThrow('has no defect type dent; it has crack');
  });

  it('refuses a missing, empty or differently sized mask, and a file that is no image', async () => {
    await writeCategory(category, 'damaged', 2);
    const mask = join(category, 'ground_truth', 'damaged', '000_mask.png');
    await sharp({ create: { width: 48, height: 48, channels: 3, background: '#000' } })
      .png()
      .toFile(mask);
    await expect(load('damaged')).rejects.toThrow(`The mask ${mask} is empty`);
    await sharp({ create: { width: 20, height: 48, channels: 3, background: '#fff' } })
      .png()
      .toFile(mask);
    await expect(load('damaged')).rejects.toThrow('is 20 x 48, but its image');
    rmSync(mask);
    await expect(load('damaged')).rejects.toThrow(`has no mask: expected ${mask}`);
    writeFileSync(join(category, 'test', 'damaged', '000.png'), 'no image');
    await expect(load('damaged')).rejects.toThrow('000.png is not a readable image');
    await expect(load('damaged')).rejects.toMatchObject({ code: 'ERR_DATASET_INVALID' });
  });

  it('keeps the defect inside a crop, wherever it is', async () => {
    for (const left of [0, 50, 87]) {
      await writeExample(category, `wide${left}`, '000', 100, 40, [left, 10, 13]);
      await writeExample(category, `wide${left}`, '001', 100, 40, [left, 10, 13]);
      const [example] = await load(`wide${left}`, 40);
      const set = example?.maskPixels.data.filter((value) => value === 255).length;
      expect(set).toBe(13 * 13);
      expect(example?.maskPixels.data.every((value) => value === 0 || value === 255)).toBe(true);
    }
  });

  it('stretches a picture whole', async () => {
    const image = { data: new Uint8Array(100 * 40 * 3).fill(9), width: 100, height: 40, channels: 3 } as const;
    const mask = { data: new Uint8Array(100 * 40).fill(255), width: 100, height: 40, channels: 1 } as const;
    expect(await fitAround(image, mask, 32, 'stretch')).toMatchObject({ width: 32, height: 32 });
    expect(boundingBox(await fitAround(mask, mask, 32, 'stretch'))).toEqual({ left: 0, top: 0, width: 32, height: 32 });
  });

  it('bounds marks whose rows begin and end anywhere, from one half on', () => {
    const [width, height] = [9, 6];
    const marks = [
      { x: 5, y: 1, level: 128 },
      { x: 2, y: 2, level: 255 },
      { x: 6, y: 2, level: 255 },
      { x: 4, y: 4, level: 200 },
      { x: 0, y: 0, level: 127 },
      { x: 8, y: 5, level: 127 },
    ];
    const data = new Uint8Array(width * height);
    for (const { x, y, level } of marks) data[y * width + x] = level;
    expect(boundingBox({ data, width, height, channels: 1 })).toEqual({ left: 2, top: 1, width: 5, height: 4 });
    expect(boundingBox({ data: new Uint8Array(width * height), width, height, channels: 1 })).toBeUndefined();
  });

  it('resizes an image without colour as sharp does, bit by bit', async () => {
    const [width, height] = [53, 41];
    let state = 1;
    const next = () => {
      state = (state * 48271) % 2147483647;
      return state % 256;
    };
    const grey = Uint8Array.from({ length: width * height }, next);
    const data = Uint8Array.from({ length: 3 * grey.length }, (_, i) => grey[Math.floor(i / 3)] as number);
    const image = { data, width, height, channels: 3 } as const;
    for (const kernel of ['linear', 'lanczos3'] as const) {
      for (const [w, h] of [
        [61, 90],
        [128, 128],
        [54, 41],
        [53, 20],
        [20, 60],
        [200, 30],
      ] as const) {
        const plain = await sharp(data, { raw: { width, height, channels: 3 } })
          .resize({ width: w, height: h, fit: 'fill', kernel })
          .raw()
          .toBuffer();
        const resized = await resizeImage(image, w, h, kernel);
        expect(resized).toMatchObject({ width: w, height: h, channels: 3 });
        expect(Buffer.compare(resized.data, plain), `${w} x ${h}, ${kernel}`).toBe(0);
      }
    }
  });

  it('resizes sharply where asked', async () => {
    const grain = Uint8Array.from({ length: 40 * 40 * 3 }, (_, i) => (Math.floor(i / 3) % 4 < 2 ? 80 : 160));
    const image = { data: grain, width: 40, height: 40, channels: 3 } as const;
    const contrast = async (kernel?: 'lanczos3') => {
      const { data } = await fitAround(image, undefined, 44, 'stretch', kernel);
      const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
      return data.reduce((sum, value) => sum + Math.abs(value - mean), 0) / data.length;
    };
    expect(await contrast('lanczos3')).toBeGreaterThan(1.1 * (await contrast()));
  });
});

describe('foregrounds', () => {
  const file = join(folder, 'wide.png');
  const level = async (source: Parameters<typeof loadBackgrounds>[3]) => {
    const [background] = await loadBackgrounds([file], 16, 'crop', source);
    expect(background).toMatchObject({ label: file, image: { width: 16, height: 16, channels: 3 } });
    return (background as NonNullable<typeof background>).foreground;
  };

  it('are cut like their images, around the middle', async () => {
    const wide = { width: 64, height: 16, channels: 3 as const, background: '#888' };
    await sharp({ create: wide }).png().toFile(file);
    const right = { create: { width: 32, height: 16, channels: 3 as const, background: '#fff' } };
    const masks = join(folder, 'foregrounds');
    mkdirSync(masks);
    const black = sharp({ create: { ...wide, background: '#000' } });
    await black
      .composite([{ input: right, left: 32, top: 0 }])
      .png()
      .toFile(join(masks, 'wide_mask.png'));
    const { data } = await level({ folder: masks });
    expect([...data.subarray(0, 16)]).toEqual([...Array(8).fill(0), ...Array(8).fill(255)]);
    expect(new Set((await level('none')).data)).toEqual(new Set([0]));
  });

  it('name what is missing and what does not fit', async () => {
    await expect(level({ folder: category })).rejects.toThrow('has no foreground mask: expected');
    const small = join(folder, 'small');
    mkdirSync(small);
    await sharp({ create: { width: 8, height: 8, channels: 3, background: '#fff' } })
      .png()
      .toFile(join(small, 'wide.png'));
    await expect(level({ folder: small })).rejects.toThrow('is 8 x 8, but its image');
  });
});

describe('readImage', () => {
  const pixels = Buffer.from(Array.from({ length: 6 * 4 * 3 }, (_, i) => (i * 7) % 256));
  const source = () => sharp(pixels, { raw: { width: 6, height: 4, channels: 3 } });

  it('reads png, tif and bmp alike', async () => {
    await source().png().toFile(join(folder, 'a.png'));
    await source().tiff({ compression: 'lzw' }).toFile(join(folder, 'a.tif'));
    const numbers = Array.from({ length: 24 }, (_, i) => pixels.readUIntBE(3 * i, 3));
    writeFileSync(join(folder, 'a.bmp'), bmp({ width: 6, height: 4, bits: 24, pixels: numbers }));
    const expected = { data: new Uint8Array(pixels), width: 6, height: 4, channels: 3 };
    for (const name of ['a.png', 'a.tif', 'a.bmp']) expect(await readImage(join(folder, name))).toEqual(expected);
  });

  it('turns a photograph as its EXIF orientation says', async () => {
    await source().withMetadata({ orientation: 6 }).jpeg().toFile(join(folder, 'turned.jpg'));
    expect(await readImage(join(folder, 'turned.jpg'))).toMatchObject({ width: 4, height: 6, channels: 3 });
  });

  it('makes three channels of grey', async () => {
    await source().toColourspace('b-w').png().toFile(join(folder, 'grey.png'));
    const { data, channels } = await readImage(join(folder, 'grey.png'));
    expect(channels).toBe(3);
    expect(data[0]).toBe(data[2]);
  });
});

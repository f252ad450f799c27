import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodePng, type PixelData, RawImage, readImage } from '../../lib/index.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const bytes = (count: number) => Uint8Array.from({ length: count }, (_, i) => (i * 37 + 11) % 256);
const rgb = new RawImage({ data: bytes(5 * 4 * 3), width: 5, height: 4, channels: 3 });
const grey = new RawImage({ data: bytes(5 * 4), width: 5, height: 4, channels: 1 });
const plain = ({ data, width, height, channels }: PixelData) => ({ data, width, height, channels });

describe('RawImage', () => {
  it('writes its pixels through sharp and reads them again, RGB and grey', async () => {
    for (const [name, image] of Object.entries({ rgb, grey })) {
      const file = join(folder, `${name}.png`);
      await image.toSharp().toFile(file);
      expect(plain(await RawImage.fromSharp(sharp(file))), name).toEqual(plain(image));
      expect(plain(await RawImage.fromSharp(image.toSharp())), name).toEqual(plain(image));
    }
  });

  it('makes a grey PNG file of one channel of an image of one channel', async () => {
    await grey.toSharp().toFile(join(folder, 'one.png'));
    expect(await sharp(join(folder, 'one.png')).metadata()).toMatchObject({ channels: 1, space: 'b-w' });
    expect(await sharp(await encodePng(grey)).metadata()).toMatchObject({ channels: 1, space: 'b-w' });
    expect(await sharp(await encodePng(rgb)).metadata()).toMatchObject({ channels: 3, space: 'srgb' });
  });

  it('keeps its channels where a pipeline changes its size', async () => {
    const half = (image: RawImage) => RawImage.fromSharp(image.toSharp().resize(10, 2, { fit: 'fill' }));
    expect(await half(rgb)).toMatchObject({ width: 10, height: 2, channels: 3 });
    expect(await half(grey)).toMatchObject({ width: 10, height: 2, channels: 1 });
  });

  it('takes what sharp reads as 8 bits without transparency, and leaves the pipeline as it is', async () => {
    const deep = sharp(Uint16Array.of(0, 257 * 100, 65535, 257 * 7), { raw: { width: 2, height: 2, channels: 1 } });
    const file = join(folder, 'deep.png');
    await deep.toColourspace('grey16').png().toFile(file);
    expect([...(await RawImage.fromSharp(sharp(file))).data]).toEqual([0, 100, 255, 7]);
    const transparent = sharp({ create: { width: 3, height: 2, channels: 4, background: '#10203080' } });
    const opaque = await RawImage.fromSharp(transparent);
    expect(plain(opaque)).toMatchObject({ width: 3, height: 2, channels: 3 });
    expect([...opaque.data.subarray(0, 3)]).toEqual([0x10, 0x20, 0x30]);
    expect(await sharp(await transparent.png().toBuffer()).metadata()).toMatchObject({ channels: 4 });
  });

  it('has three channels where a pipeline adds a colour to a grey image, and one where it takes all away', async () => {
    const red = { create: { width: 2, height: 2, channels: 3 as const, background: '#ff0000' } };
    const coloured = sharp(await encodePng(grey)).composite([{ input: red, left: 0, top: 0 }]);
    const { data, channels } = await RawImage.fromSharp(coloured);
    expect([channels, ...data.subarray(0, 3), ...data.subarray(6, 9)]).toEqual([3, 255, 0, 0, 85, 85, 85]);
    expect(await RawImage.fromSharp(rgb.toSharp().toColourspace('b-w'))).toMatchObject({ channels: 1 });
  });

  it('is refused where its size and its bytes disagree, and where a pipeline has no image', async () => {
    const wrong = { data: new Uint8Array(11), width: 2, height: 2, channels: 3 } as const;
    const refusal = 'Expected 12 bytes for an image of 2 x 2 x 3 but received 11';
    expect(() => new RawImage(wrong)).toThrow(refusal);
    await expect(encodePng(wrong)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', message: refusal });
    await expect(RawImage.fromSharp(sharp(Buffer.from('no image')))).rejects.toMatchObject({
      code: 'ERR_DATASET_INVALID',
      message: expect.stringMatching(/^The sharp pipeline gives no image: /),
    });
  });
});

describe('readImage', () => {
  it('reads a file, its bytes and its pixels alike', async () => {
    const file = join(folder, 'read.png');
    await rgb.toSharp().toFile(file);
    for (const source of [
      file,
      await rgb.toSharp().png().toBuffer(),
      await rgb.toSharp().tiff({ compression: 'lzw' }).toBuffer(),
      rgb,
    ]) {
      const image = await readImage(source);
      expect(image).toBeInstanceOf(RawImage);
      expect(plain(image)).toEqual(plain(rgb));
    }
  });

  it('takes a view into a larger buffer, and pixels that are clamped', async () => {
    const png = await encodePng(rgb);
    const larger = new Uint8Array(png.length + 20);
    larger.set(png, 13);
    expect(plain(await readImage(larger.subarray(13, 13 + png.length)))).toEqual(plain(rgb));
    const clamped = new Uint8ClampedArray(rgb.data) as unknown as Uint8Array;
    expect(plain(await readImage({ ...plain(rgb), data: clamped }))).toEqual(plain(rgb));
  });

  it('refuses what is no image', async () => {
    for (const nothing of [undefined, '', 7, { ...plain(rgb), channels: 4 }, {}]) {
      await expect(readImage(nothing as unknown as PixelData)).rejects.toMatchObject({
        code: 'ERR_INVALID_OPTION',
        message: expect.stringMatching(/^Expected a path, an encoded image/),
      });
    }
  });

  it('repeats grey, turns as EXIF says, and names bytes that are no image', async () => {
    const { data, channels } = await readImage(await encodePng(grey));
    expect(channels).toBe(3);
    expect([...data.subarray(0, 6)]).toEqual([11, 11, 11, 48, 48, 48]);
    const turned = await rgb.toSharp().withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect(await readImage(turned)).toMatchObject({ width: 4, height: 5 });
    for (const [content, message] of [
      [Buffer.from('no image'), /^the image in memory is not a readable image: /],
      [Buffer.alloc(0), /^the image in memory is not a readable image: it is empty$/],
    ] as const) {
      await expect(readImage(content)).rejects.toMatchObject({
        code: 'ERR_DATASET_INVALID',
        message: expect.stringMatching(message),
      });
    }
  });
});

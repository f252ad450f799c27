import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { readImage, resizeImage } from '../../lib/dataset/image-file.js';
import { scanImage } from '../../lib/dataset/image-scan.js';
import { ImageInMemory } from '../../lib/dataset/image-source.js';
import { bmp } from '../helpers/bmp.js';

const size = { width: 90, height: 70 };
const pixels = Buffer.from(
  Array.from({ length: 3 * size.width * size.height }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % size.width, Math.floor(i / 3 / size.width)];
    return 128 + 60 * Math.sin(x / 9 + (i % 3)) + 50 * Math.cos(y / 7) + ((i * 7919) % 11);
  }),
);
const image = () => sharp(pixels, { raw: { ...size, channels: 3 } });
const source = (bytes: Buffer) => new ImageInMemory('the file', 'file', bytes);

const files: Record<string, { file: () => Sharp; depth: string }> = {
  JPEG: { file: () => image().jpeg({ quality: 95 }), depth: '8-bit colour' },
  'JPEG, turned': { file: () => image().withMetadata({ orientation: 6 }).jpeg(), depth: '8-bit colour' },
  'JPEG, progressive': { file: () => image().jpeg({ progressive: true }), depth: '8-bit colour' },
  'JPEG, grey': { file: () => image().toColourspace('b-w').jpeg(), depth: '8-bit grey' },
  PNG: { file: () => image().png(), depth: '8-bit colour' },
  'PNG, grey as RGB': { file: () => image().greyscale().toColourspace('srgb').png(), depth: '8-bit grey' },
  'PNG, 16 bits': { file: () => image().toColourspace('rgb16').png(), depth: '16-bit colour' },
  'PNG, alpha': { file: () => image().ensureAlpha(0.5).png(), depth: '8-bit colour with alpha' },
  WebP: { file: () => image().webp(), depth: '8-bit colour' },
  TIFF: { file: () => image().tiff({ compression: 'lzw' }), depth: '8-bit colour' },
  GIF: { file: () => image().gif(), depth: '8-bit colour' },
  AVIF: { file: () => image().avif({ effort: 0 }), depth: '8-bit colour' },
};

describe('scanning an image', () => {
  for (const [name, { file, depth }] of Object.entries(files)) {
    it(`tells the size, the samples and the look of ${name}`, async () => {
      const bytes = await file().toBuffer();
      const scan = await scanImage(source(bytes));
      expect(scan).toMatchObject({ depth, stored: size });
      const whole = await resizeImage(await readImage(bytes), scan.picture.width, scan.picture.height);
      const { data, channels } = scan.picture;
      const differences = [...data].map((value, i) => Math.abs(value - (whole.data[(3 / channels) * i] as number)));
      expect(differences.reduce((sum, one) => sum + one, 0) / differences.length).toBeLessThan(2);
    });

    it(`finds the damage of ${name} that a reader finds`, async () => {
      const bytes = await file().toBuffer();
      for (const share of [0.5, 0.8, 0.97]) {
        const cut = bytes.subarray(0, Math.floor(share * bytes.length));
        const error = await readImage(source(cut)).catch((cause) => cause);
        expect(error.message).toContain('the file is not a readable image');
        await expect(scanImage(source(cut))).rejects.toThrow(error.message);
      }
    });
  }

  it('reads bitmaps and pixels', async () => {
    const bytes = bmp({ width: 2, height: 2, bits: 24, pixels: [1, 2, 3, 4], palette: [] });
    expect(await scanImage(source(bytes))).toMatchObject({ depth: '8-bit colour', stored: { width: 2, height: 2 } });
    const grey = new ImageInMemory('grey', 'grey', { data: new Uint8Array(6), width: 3, height: 2, channels: 1 });
    expect(await scanImage(grey)).toMatchObject({ depth: '8-bit grey', stored: { width: 3, height: 2 } });
  });
});

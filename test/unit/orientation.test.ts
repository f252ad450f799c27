import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readExample } from '../../lib/dataset/example-file.js';
import { loadBackgrounds } from '../../lib/model/foreground.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();

/** Pixels with a corner at one level and the rest at another. */
function corner(width: number, height: number, rest: number, level: number): Buffer {
  return Buffer.from(Array.from({ length: width * height }, (_, i) => (i % width < 9 && i < 6 * width ? level : rest)));
}
const picture = (width: number, height: number, data: Buffer) =>
  sharp(data, { raw: { width, height, channels: 1 } }).toColourspace('b-w');

let files = 0;
/** An image with EXIF orientation, and a mask drawn on its stored or its turned pixels. */
async function write(width: number, height: number, orientation: number, drawn: 'stored' | 'turned', own = 1) {
  const name = join(folder, String(files++));
  const image = `${name}.png`;
  const mask = `${name}_mask.png`;
  await picture(width, height, corner(width, height, 200, 20))
    .withMetadata({ orientation })
    .png()
    .toFile(image);
  const plain = picture(width, height, corner(width, height, 0, 255)).png();
  const shown =
    drawn === 'stored'
      ? plain
      : sharp(
          await picture(width, height, corner(width, height, 0, 255))
            .withMetadata({ orientation })
            .png()
            .toBuffer(),
        ).autoOrient();
  await shown.withMetadata({ orientation: own }).png().toFile(mask);
  return { image, mask };
}

/** Returns true if the mask marks all dark pixels and no others. */
async function lies(example: { image: string; mask: string }) {
  const { image, mask } = await readExample(example);
  expect([mask.width, mask.height]).toEqual([image.width, image.height]);
  return mask.data.every((value, i) => (value === 255) === (image.data[3 * i] as number) < 100);
}

describe('image and mask', () => {
  it('go together where sizes tell what the mask was drawn on', async () => {
    for (const orientation of [5, 6, 7, 8]) {
      expect(await lies(await write(40, 24, orientation, 'stored'))).toBe(true);
      expect(await lies(await write(40, 24, orientation, 'turned'))).toBe(true);
    }
  });

  it('go together where both have the orientation, and where none has', async () => {
    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
      expect(await lies(await write(40, 24, orientation, 'stored', orientation))).toBe(true);
      expect(await lies(await write(32, 32, orientation, 'stored', orientation))).toBe(true);
    }
  });

  it('are refused where nothing tells', async () => {
    for (const [width, height, orientation] of [
      [40, 24, 2],
      [40, 24, 3],
      [40, 24, 4],
      [32, 32, 6],
    ] as const) {
      const example = await write(width, height, orientation, 'stored');
      const message = `${example.image} has EXIF orientation ${orientation} and ${example.mask} has none`;
      await expect(readExample(example)).rejects.toThrow(message);
      await expect(readExample(example)).rejects.toMatchObject({ code: 'ERR_DATASET_INVALID' });
    }
    const odd = await write(32, 32, 1, 'stored', 3);
    await expect(readExample(odd)).rejects.toThrow(`${odd.mask} has EXIF orientation 3 and ${odd.image} has none`);
    const other = await write(40, 24, 6, 'stored', 3);
    await expect(readExample(other)).rejects.toThrow('is 40 x 24, but its image');
  });

  it('go together as foregrounds, too', async () => {
    const masks = join(folder, 'foregrounds');
    mkdirSync(masks);
    const { image, mask } = await write(40, 24, 8, 'stored');
    await sharp(mask)
      .png()
      .toFile(join(masks, `${files - 1}_mask.png`));
    const [background] = await loadBackgrounds([image], 24, 'crop', { folder: masks });
    const { foreground, image: shown } = background as NonNullable<typeof background>;
    expect(foreground.data.every((value, i) => (value === 255) === (shown.data[3 * i] as number) < 100)).toBe(true);
    const turnedOver = await write(40, 24, 3, 'stored');
    await sharp(turnedOver.mask)
      .png()
      .toFile(join(masks, `${files - 1}_mask.png`));
    await expect(loadBackgrounds([turnedOver.image], 24, 'crop', { folder: masks })).rejects.toThrow(
      'EXIF orientation 3',
    );
  });
});

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

/** A grey picture with a dark square, and the square's mask. */
export async function writeExample(
  folder: string,
  type: string,
  name: string,
  width: number,
  height: number,
  box: [number, number, number],
) {
  const [left, top, size] = box;
  const image = Buffer.alloc(width * height, 180);
  const mask = Buffer.alloc(width * height, 0);
  for (let y = top; y < top + size; y++) {
    for (let x = left; x < left + size; x++) {
      image[y * width + x] = 30;
      mask[y * width + x] = 255;
    }
  }
  for (const part of ['test', 'ground_truth']) mkdirSync(join(folder, part, type), { recursive: true });
  const raw = { raw: { width, height, channels: 1 as const } };
  await sharp(image, raw)
    .toColourspace('b-w')
    .png()
    .toFile(join(folder, 'test', type, `${name}.png`));
  await sharp(mask, raw)
    .toColourspace('b-w')
    .png()
    .toFile(join(folder, 'ground_truth', type, `${name}_mask.png`));
}

/** A category with `count` images of one type. */
export async function writeCategory(folder: string, type: string, count: number, width = 48, height = 48) {
  for (let i = 0; i < count; i++)
    await writeExample(folder, type, String(i).padStart(3, '0'), width, height, [4 + i, 8, 12]);
}

/** Writes `groups.csv`, so that every photograph in the folders of a category is taken for a part of its own. */
export function listAlone(category: string) {
  const files = readdirSync(category, { recursive: true, encoding: 'utf8' });
  const images = files.filter((file) => /^(test|train)\/.*\.png$/.test(file));
  writeFileSync(
    join(category, 'groups.csv'),
    ['path,group', ...images.map((file) => `${file},${file}`), ''].join('\n'),
  );
}

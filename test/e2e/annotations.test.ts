/** Annotations of labelme and COCO in the place of a category folder: import by the command line, and jobs on them. */
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { Dataset } from '../../lib/dataset/dataset.js';
import { readMask } from '../../lib/dataset/mask-file.js';
import { loadTrainingImages } from '../../lib/dataset/training-images.js';
import { digestOf } from '../../lib/dataset/training-region.js';
import { embedded } from '../../lib/index.js';
import { campaign } from '../../lib/jobs/index.js';
import { write } from '../helpers/annotated.js';
import { cli } from '../helpers/cli.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const data = join(folder, 'metal');
const COUNT = 3;

/** The photographs of the example set, with each mask as labelme stores one. */
beforeAll(async () => {
  const dataset = await Dataset.open(embedded.example);
  for (const { image, mask, name } of (await dataset.examples('stain')).slice(0, COUNT)) {
    const { data: pixels, width, height } = await readMask(mask);
    const png = await sharp(pixels, { raw: { width, height, channels: 1 } })
      .png()
      .toBuffer();
    const shape = {
      ...{ label: 'stain', shape_type: 'mask', mask: png.toString('base64') },
      points: [
        [0, 0],
        [width - 1, height - 1],
      ],
    };
    const imagePath = basename(image as string);
    cpSync(image as string, join(data, 'photos', imagePath), { recursive: true });
    write(join(data, 'photos', `${name}.json`), { shapes: [shape], imagePath, imageData: null });
  }
  for (const image of await dataset.goodImages()) {
    cpSync(image as string, join(data, 'good', basename(image as string)), { recursive: true });
  }
});

describe('annotations of labelme', () => {
  it('become a category folder whose masks are the same, pixel by pixel', async () => {
    const out = join(folder, 'imported');
    const { stdout } = await cli(['import', '--from', data, '--out', out, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ out, format: 'labelme', types: { stain: COUNT } });
    const imported = await (await Dataset.open(out)).examples('stain');
    const original = (await (await Dataset.open(embedded.example)).examples('stain')).slice(0, COUNT);
    for (const [i, { image, mask }] of imported.entries()) {
      expect((await readMask(mask)).data).toEqual((await readMask(original[i]?.mask as string)).data);
      expect(readFileSync(image as string)).toEqual(readFileSync(original[i]?.image as string));
    }
  });

  it('give the training the same windows as the imported folder', async () => {
    const settings = { types: ['stain'], trainImages: 'all', resolution: 64, fit: 'crop', window: 'auto' } as const;
    const digest = async (from: string) =>
      digestOf((await loadTrainingImages(await Dataset.open(from), settings)).regions);
    expect(await digest(data)).toBe(await digest(join(folder, 'imported')));
  });

  it('make pairs, below a folder that is named after them', async () => {
    const out = join(folder, 'out');
    const { types } = await campaign({ data, recipe: 'augment', count: 1, resolution: 64, out });
    expect(types).toMatchObject([{ category: 'metal', type: 'stain', pairs: 1 }]);
    expect(existsSync(join(out, 'stain', 'dataset', 'pairs.jsonl'))).toBe(true);
  });
});

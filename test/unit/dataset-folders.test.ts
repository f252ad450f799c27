import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StagedFolder } from '../../lib/core/staged-folder.js';
import { Dataset } from '../../lib/dataset/dataset.js';
import { photographsOf } from '../../lib/dataset/photograph.js';
import { check } from '../../lib/jobs/check.js';
import { importData } from '../../lib/jobs/import.js';
import { BOX, cornersOf, photograph, SIZE, write } from '../helpers/annotated.js';
import { writeExample } from '../helpers/dataset.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const root = scratchFolder();
let made = 0;
const fresh = () => join(root, `${made++}`);

/** Writes a COCO file beside its images. The first image has a defect, unless `isGood` is true, and the others are good. */
async function writeCoco(file: string, images: readonly string[], isGood = false): Promise<string> {
  for (const image of images) await photograph(join(file, '..', image), '#789');
  return write(file, {
    images: images.map((name, id) => ({ id, file_name: name, ...SIZE })),
    annotations: isGood ? [] : [{ id: 1, image_id: 0, category_id: 1, segmentation: [cornersOf(BOX)] }],
    categories: [{ id: 1, name: 'crack' }],
  });
}

describe('a folder with several files of COCO', () => {
  it('is one dataset where the folders are parts, as Roboflow exports them', async () => {
    const data = fresh();
    for (const part of ['train', 'valid', 'test']) {
      await writeCoco(join(data, part, '_annotations.coco.json'), [`${part}-0.jpg`, `${part}-1.jpg`]);
    }
    const dataset = await Dataset.open(data);
    expect(dataset.format).toBe('coco');
    expect((await dataset.examples('crack')).map(({ name }) => name)).toEqual(['test-0', 'train-0', 'valid-0']);
    expect(await dataset.goodImages('train')).toHaveLength(2);
    expect(await dataset.goodImages('test')).toEqual([join(data, 'test', 'test-1.jpg')]);
    expect(await Dataset.categoriesIn(data)).toEqual([data]);
  });

  it('is a folder of datasets where the folders are no parts', async () => {
    for (const file of ['_annotations.coco.json', 'labels.json', join('annotations', 'instances.json')]) {
      const data = fresh();
      for (const name of ['bottle', 'tile']) {
        await writeCoco(join(data, name, file), ['0.jpg', '1.jpg']);
      }
      await expectFailure(Dataset.open(data), 'ERR_DATASET_INVALID', data, 'holds some (bottle, tile)', 'name one of');
      await expectFailure(photographsOf(data), 'ERR_DATASET_INVALID', 'holds some (bottle, tile)');
      expect(await Dataset.categoriesIn(data)).toEqual([join(data, 'bottle'), join(data, 'tile')]);
      expect((await check({ data })).categories.map(({ category }) => category)).toEqual(['bottle', 'tile']);
    }
  });
});

describe('a folder that cannot be opened', () => {
  it('says that an import was killed', async () => {
    const data = fresh();
    await photograph(join(data, '.partial-123-abc', 'test', 'crack', '0.png'));
    await expectFailure(Dataset.open(data), 'ERR_DATASET_INVALID', data, 'not finished: repeat that command');
  });

  it('says that an import was killed while it moved its files, but not if it had moved all', async () => {
    const data = fresh();
    await writeExample(data, 'crack', '000', 40, 40, [4, 5, 12]);
    const left = join(data, '.partial-123-abc', 'train', 'good');
    await photograph(join(left, '0.png'));
    for (const options of [{}, { format: 'mvtec' } as const]) {
      await expectFailure(
        Dataset.open(data, options),
        'ERR_DATASET_INVALID',
        data,
        'not finished: repeat that command',
      );
    }
    await expectFailure(importData({ from: data, out: fresh() }), 'ERR_DATASET_INVALID', data, 'not finished');
    await expect(StagedFolder.open(data)).rejects.toThrow('that was not finished. Remove the folder, or choose');
    renameSync(join(data, '.partial-123-abc', 'train'), join(data, 'train'));
    expect(await (await Dataset.open(data)).goodImages()).toEqual([join(data, 'train', 'good', '0.png')]);
  });

  it('names a category of COCO that is listed twice', async () => {
    const data = fresh();
    const categories = ['crack', 'hole'].map((name) => ({ id: 1, name }));
    const file = write(join(data, 'coco.json'), { images: [], annotations: [], categories });
    await expectFailure(Dataset.open(data), 'ERR_DATASET_INVALID', `${file} lists the category id 1 twice`);
  });
});

describe('photographs of a dataset', () => {
  it('are its good images for training, in every format', async () => {
    const coco = fresh();
    const file = await writeCoco(join(coco, 'coco.json'), ['0.jpg', '1.jpg', '2.jpg']);
    const good = [join(coco, '1.jpg'), join(coco, '2.jpg')];
    expect(await photographsOf(coco)).toEqual(good);
    expect(await photographsOf(file)).toEqual(good);

    const labelme = fresh();
    await photograph(join(labelme, 'a.jpg'));
    await photograph(join(labelme, 'good', 'b.jpg'));
    const points = [BOX.slice(0, 2), BOX.slice(2)];
    write(join(labelme, 'a.json'), {
      shapes: [{ label: 'crack', shape_type: 'rectangle', points }],
      imagePath: 'a.jpg',
    });
    expect(await photographsOf(labelme)).toEqual([join(labelme, 'good', 'b.jpg')]);

    const btad = fresh();
    await photograph(join(btad, 'train', 'ok', '0.png'));
    await photograph(join(btad, 'test', 'ok', '1.png'));
    await photograph(join(btad, 'test', 'ko', '2.png'));
    expect(await photographsOf(btad)).toEqual([join(btad, 'train', 'ok', '0.png')]);
  });

  it('may be all of its images', async () => {
    const data = fresh();
    await writeCoco(join(data, 'coco.json'), ['0.jpg', '1.jpg'], true);
    expect(await photographsOf(data)).toHaveLength(2);
    await expect(Dataset.open(data)).rejects.toThrow('marks no defect in its 2 images');
  });

  it('are never its defects or masks', async () => {
    const tree = fresh();
    await writeExample(tree, 'crack', '000', 20, 16, [3, 2, 6]);
    await expectFailure(photographsOf(tree), 'ERR_DATASET_INVALID', 'read as mvtec', join(tree, 'train', 'good'));
    const coco = fresh();
    await writeCoco(join(coco, 'coco.json'), ['0.jpg']);
    await expectFailure(photographsOf(coco), 'ERR_DATASET_INVALID', coco, 'no good photographs');
  });

  it('are all images of a folder that is no dataset', async () => {
    const plain = fresh();
    mkdirSync(plain);
    await photograph(join(plain, 'a.jpg'));
    await photograph(join(plain, 'monday', 'b.jpg'));
    write(join(plain, 'notes.json'), { camera: 3 });
    expect(await photographsOf(plain)).toHaveLength(2);
  });
});

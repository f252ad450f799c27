import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { Dataset } from '../../lib/dataset/dataset.js';
import { type ImageSource, labelOf } from '../../lib/dataset/image-source.js';
import { BOX, boxes, boxesOf, cornersOf, photograph, SIZE, write } from '../helpers/annotated.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const root = scratchFolder();
let made = 0;
const folder = () => join(root, `data${made++}`);
const relative = (data: string, images: readonly ImageSource[]) =>
  images.map((image) => labelOf(image).slice(data.length + 1)).sort();
const labels = '0 0.1 0.1 0.5 0.1 0.5 0.5\n';

/** Opens a dataset, and returns it with its warnings. */
async function openedWithWarnings(data: string): Promise<{ dataset: Dataset; warnings: string[] }> {
  const warning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  try {
    const dataset = await Dataset.open(data);
    return { dataset, warnings: warning.mock.calls.map(([message]) => String(message)) };
  } finally {
    warning.mockRestore();
  }
}

/** The files that belong to images of defects, by the types and names of their examples. */
const namesOf = async (dataset: Dataset) =>
  Object.fromEntries(
    await Promise.all(
      dataset.types.map(async (type) => [type, (await dataset.examples(type)).map(({ name }) => name)] as const),
    ),
  );

describe("YOLO's files of labels", () => {
  it.each([
    ['images', 'labels'],
    ['images/é', 'labels/é'],
    ['train/images', 'train/labels'],
    ['train', 'train'],
  ])('of %s are found in any Unicode form and with any case of their ending', async (images, place) => {
    const data = folder();
    write(join(data, 'data.yaml'), `names: [crack]\ntrain: ${images.split('/é')[0]}\n`);
    await photograph(join(data, images.normalize('NFD'), 'é.jpg'.normalize('NFD')));
    await photograph(join(data, images.normalize('NFD'), 'b.JPG'));
    write(join(data, place.normalize('NFC'), 'é.txt'.normalize('NFC')), labels);
    write(join(data, place.normalize('NFC'), 'b.TXT'), labels);
    const { dataset, warnings } = await openedWithWarnings(data);
    expect(await namesOf(dataset)).toEqual({ crack: ['b', 'é'] });
    expect(await dataset.goodImages()).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('without an image are named, but not those of images in other parts', async () => {
    const data = folder();
    write(join(data, 'data.yaml'), 'names: [crack]\ntrain: train.txt\n');
    write(join(data, 'train.txt'), 'images/a.png\n');
    for (const name of ['a', 'other']) await photograph(join(data, 'images', `${name}.png`));
    for (const name of ['a', 'other', 'ghost']) write(join(data, 'labels', `${name}.txt`), labels);
    write(join(data, 'labels', 'classes.txt'), 'crack\n');
    const { dataset, warnings } = await openedWithWarnings(data);
    expect(await namesOf(dataset)).toEqual({ crack: ['a'] });
    expect(warnings).toEqual([`Files of labels in ${data} belong to no image: labels/ghost.txt.`]);
  });

  it('are refused if two of them belong to one image', async () => {
    const data = folder();
    write(join(data, 'data.yaml'), 'names: [crack]\ntrain: images\n');
    await photograph(join(data, 'images', 'é.png'));
    for (const form of ['NFC', 'NFD']) write(join(data, 'labels', 'é.txt'.normalize(form)), labels);
    await expectFailure(Dataset.open(data), 'ERR_DATASET_INVALID', 'are labels of one image: rename or remove one');
  });
});

describe('data.yaml in a folder of its own', () => {
  it.each(['path: ..\ntrain: train/images\nval: val/images\n', 'train: ../train/images\nval: ../val/images\n'])(
    'is read with the folder that holds both: %j',
    async (places) => {
      const data = folder();
      const file = write(join(data, 'config', 'data.yaml'), `names: [crack]\n${places}`);
      for (const part of ['train', 'val']) await photograph(join(data, part, 'images', `${part}.png`));
      write(join(data, 'train', 'labels', 'train.txt'), labels);
      const { dataset } = await openedWithWarnings(data);
      expect([dataset.format, dataset.folder]).toEqual(['yolo', data]);
      expect(await namesOf(dataset)).toEqual({ crack: ['train'] });
      expect(relative(data, await dataset.goodImages())).toEqual(['val/images/val.png']);
      for (const path of [file, join(data, 'config')]) {
        await expectFailure(
          Dataset.open(path),
          'ERR_DATASET_INVALID',
          `which lies outside of ${join(data, 'config')}: open ${data}, which holds both`,
        );
      }
    },
  );

  it('does not make one dataset of several', async () => {
    const data = folder();
    for (const name of ['a', 'b']) {
      write(join(data, name, 'data.yaml'), 'names: [crack]\ntrain: ../train/images\n'); // as Roboflow writes it
      await photograph(join(data, name, 'train', 'images', '0.png'));
      write(join(data, name, 'train', 'labels', '0.txt'), labels);
    }
    write(join(data, 'c', 'data.yaml'), `names: [crack]\ntrain: ${join(data, 'a', 'train', 'images')}\n`);
    await expectFailure(Dataset.open(data), 'ERR_DATASET_INVALID', 'holds some (a, b, c): name one of these folders');
    await expectFailure(Dataset.open(join(data, 'c')), 'ERR_DATASET_INVALID', 'is missing below');
  });
});

describe('images of VOC without a mask', () => {
  async function writeVoc(list?: string): Promise<string> {
    const data = folder();
    write(join(data, 'labelmap.txt'), '\uFEFF# label:color_rgb:parts:actions\nbackground:0,0,0::\ncrack:128,0,0::\n');
    for (const name of ['a', 'b', 'c']) await photograph(join(data, 'JPEGImages', `${name}.jpg`));
    await boxes(join(data, 'SegmentationClass', 'a.png'), [{ box: BOX, colour: [128, 0, 0] }]);
    if (list !== undefined) write(join(data, 'ImageSets', 'Segmentation', 'default.txt'), list);
    return data;
  }

  it('are good where a list names them, and the others are left out with a warning', async () => {
    const data = await writeVoc('a\nb\n');
    const { dataset, warnings } = await openedWithWarnings(data);
    expect(await boxesOf(dataset)).toEqual({ crack: { a: [...BOX] } });
    expect(relative(data, await dataset.goodImages())).toEqual(['JPEGImages/b.jpg']);
    expect(warnings).toEqual([expect.stringMatching(/^1 images of .* are in no list of .* are left out: c\./)]);
  });

  it.each([[undefined], ['\n']])('are good without lists, which a warning says', async (list) => {
    const data = await writeVoc(list);
    const { dataset, warnings } = await openedWithWarnings(data);
    expect(relative(data, await dataset.goodImages())).toEqual(['JPEGImages/b.jpg', 'JPEGImages/c.jpg']);
    expect(warnings).toEqual([expect.stringMatching(/^2 images of .* are taken for good ones: b, c\./)]);
  });
});

describe('types that differ only in upper and lower case', () => {
  it('are refused, because their folders are one on some systems', async () => {
    const data = folder();
    await photograph(join(data, 'a.png'));
    const names = ['crack', 'Crack'];
    write(join(data, 'annotations.json'), {
      categories: names.map((name, id) => ({ id, name })),
      images: [{ id: 0, file_name: 'a.png', ...SIZE }],
      annotations: names.map((_, id) => ({ id, image_id: 0, category_id: id, segmentation: [cornersOf(BOX)] })),
    });
    await expectFailure(Dataset.open(data), 'ERR_DATASET_INVALID', data, 'names the types crack and Crack');
  });
});

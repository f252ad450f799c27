import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { Dataset } from '../../lib/dataset/dataset.js';
import { type ImageSource, labelOf } from '../../lib/dataset/image-source.js';
import {
  BOX,
  type Box,
  boxes,
  boxesOf,
  compressed,
  cornersOf,
  opened,
  photograph,
  runsOf,
  SIZE,
  write,
} from '../helpers/annotated.js';
import { writeCategory } from '../helpers/dataset.js';
import { scratchFolder } from '../helpers/scratch.js';

const root = scratchFolder();
let made = 0;
const folder = () => join(root, `data${made++}`);
const OTHER: Box = [20, 3, 30, 9];
const WHITE = [255, 255, 255] as const;
const relative = (data: string, images: readonly ImageSource[]) =>
  images.map((image) => labelOf(image).slice(data.length + 1));

/** A COCO file with images a, b and c: cracks in three forms, a hole, and nothing in c. */
const coco = () => ({
  info: {},
  categories: [
    { id: 0, name: 'parts', supercategory: 'none' },
    { id: 1, name: 'crack' },
    { id: 7, name: 'hole' },
  ],
  images: ['a', 'b', 'c'].map((name, i) => ({ id: i + 1, file_name: `${name}.png`, ...SIZE })),
  annotations: [
    { id: 1, image_id: 1, category_id: 1, iscrowd: 0, segmentation: [cornersOf(BOX)], bbox: [5, 6, 12, 8] },
    {
      ...{ id: 2, image_id: 2, category_id: 1, iscrowd: 1 },
      segmentation: { counts: runsOf(BOX), size: [SIZE.height, SIZE.width] },
    },
    {
      ...{ id: 3, image_id: 1, category_id: 7 },
      segmentation: { counts: compressed(runsOf(OTHER)), size: [SIZE.height, SIZE.width] },
    },
  ],
});

async function writeCoco(data: string, images = '', file = 'annotations/instances_default.json') {
  for (const name of ['a', 'b', 'c']) await photograph(join(data, images, `${name}.png`));
  return write(join(data, file), coco());
}

const EXPECTED = { crack: { a: [...BOX], b: [...BOX] }, hole: { a: [...OTHER] } };

describe('COCO', () => {
  it.each([
    ['', 'result.json'],
    ['images', 'annotations/instances_default.json'],
    ['images/default', 'annotations/instances_default.json'],
    ['train2017', 'annotations/instances_train2017.json'],
    ['data', 'labels.json'],
    ['train', 'train/_annotations.coco.json'],
  ])('is read with images in "%s" and annotations in %s, as a folder and as a file', async (images, file) => {
    const data = folder();
    const path = await writeCoco(data, images, file);
    const dataset = await Dataset.open(data);
    expect([dataset.format, dataset.category]).toEqual(['coco', data.split('/').at(-1)]);
    expect(await boxesOf(dataset)).toEqual(EXPECTED);
    expect(relative(data, await dataset.goodImages())).toEqual([join(images, 'c.png')]);
    expect(await opened(path)).toEqual(EXPECTED);
  });

  it('keeps the good images of the part for tests apart, and names images that share a name by their folders', async () => {
    const data = folder();
    for (const part of ['train', 'test']) await writeCoco(data, part, `${part}/_annotations.coco.json`);
    const dataset = await Dataset.open(data);
    expect(await boxesOf(dataset)).toEqual({
      crack: { train_a: [...BOX], train_b: [...BOX], test_a: [...BOX], test_b: [...BOX] },
      hole: { train_a: [...OTHER], test_a: [...OTHER] },
    });
    expect(relative(data, await dataset.goodImages('train'))).toEqual(['train/c.png']);
    expect(relative(data, await dataset.goodImages('test'))).toEqual(['test/c.png']);
  });
});

const labelmeShape = (label: string, [left, top, right, bottom]: Box, more = {}) => ({
  ...{ label, group_id: null, shape_type: 'rectangle', flags: {} },
  points: [
    [left, top],
    [right - 1, bottom - 1],
  ],
  ...more,
});
const labelme = (shapes: object[], more = {}) => ({
  ...{ version: '5.4.1', flags: {}, shapes, imagePath: 'a.png', imageData: null },
  ...{ imageHeight: SIZE.height, imageWidth: SIZE.width, ...more },
});

describe('labelme', () => {
  it('is read from a folder, with images inside and beside the files', async () => {
    const data = folder();
    const image = await photograph(join(data, 'photos', 'a.png'));
    write(join(data, 'json', 'a.json'), labelme([labelmeShape('crack', BOX)], { imagePath: '..\\photos\\a.png' }));
    const shapes = [
      labelmeShape('crack', [BOX[0], BOX[1], 9, BOX[3]], { group_id: 3 }),
      labelmeShape('crack', [9, BOX[1], BOX[2], BOX[3]], { group_id: 3 }),
      labelmeShape('hole', OTHER),
      labelmeShape('__ignore__', OTHER),
    ];
    const imageData = readFileSync(image).toString('base64');
    write(join(data, 'json', 'b.json'), labelme(shapes, { imageData, imagePath: '/home/somebody/b.png' }));
    await photograph(join(data, 'photos', 'unlabelled.png'));
    await photograph(join(data, 'good', 'c.png'));
    const dataset = await Dataset.open(data);
    expect(dataset.format).toBe('labelme');
    expect(await boxesOf(dataset)).toEqual({ crack: { a: [...BOX], b: [...BOX] }, hole: { b: [...OTHER] } });
    expect(relative(data, await dataset.goodImages())).toEqual(['good/c.png']);
    expect(await opened(join(data, 'json', 'b.json'))).toEqual({ crack: { b: [...BOX] }, hole: { b: [...OTHER] } });
  });

  it('takes masks that are stored as images', async () => {
    const data = folder();
    await photograph(join(data, 'a.png'));
    const png = await sharp({ create: { width: 12, height: 8, channels: 3, background: '#fff' } })
      .png()
      .toBuffer();
    const shape = labelmeShape('crack', BOX, { shape_type: 'mask', mask: png.toString('base64') });
    write(join(data, 'a.json'), labelme([shape]));
    expect(await opened(data)).toEqual({ crack: { a: [...BOX] } });
  });
});

/** A box as a line of YOLO, with the middles of its outer pixels as shares of the size. */
const yoloLine = (number: number, [left, top, right, bottom]: Box) => {
  const corners = cornersOf([left + 0.5, top + 0.5, right - 0.5, bottom - 0.5]);
  return [number, ...corners.map((value, i) => value / (i % 2 === 0 ? SIZE.width : SIZE.height))].join(' ');
};

describe('YOLO', () => {
  it.each([
    ['names: {0: crack, 1: hole}\npath: .\ntrain: images/train\nval: images/val\n', 'images/train', 'labels/train'],
    ["names: ['crack', 'hole']\nnc: 2\ntrain: ../train/images\nval: ../valid/images\n", 'train/images', 'train/labels'],
    [
      'names: [crack, hole]\npath: /home/somebody/data\ntrain: train.txt\nval: images\n',
      'images/train',
      'labels/train',
    ],
  ])('is read with %j', async (yaml, images, labels) => {
    const data = folder();
    write(join(data, 'data.yaml'), yaml);
    write(join(data, 'train.txt'), ['a', 'b', 'c'].map((name) => `data/images/train/${name}.png\n`).join(''));
    for (const name of ['a', 'b', 'c']) await photograph(join(data, images, `${name}.png`));
    write(join(data, labels, 'a.txt'), `${yoloLine(0, BOX)}\n${yoloLine(1, OTHER)}\n`);
    write(join(data, labels, 'b.txt'), `${yoloLine(0, BOX)}\r\n`);
    const dataset = await Dataset.open(data);
    expect(dataset.format).toBe('yolo');
    expect(await boxesOf(dataset)).toEqual(EXPECTED);
    expect(relative(data, await dataset.goodImages())).toEqual([join(images, 'c.png')]);
    expect(await opened(join(data, 'data.yaml'))).toEqual(EXPECTED);
  });
});

describe('Pascal VOC', () => {
  it('takes the types of pixels from the colours in labelmap.txt', async () => {
    const data = folder();
    write(
      join(data, 'labelmap.txt'),
      '# label:color_rgb:parts:actions\nbackground:0,0,0::\ncrack:250,50,83::\nhole:128,0,0::\n',
    );
    for (const name of ['a', 'b', 'c', 'd', 'unlisted']) await photograph(join(data, 'JPEGImages', `${name}.jpg`));
    write(join(data, 'ImageSets', 'Segmentation', 'default.txt'), 'a\nb\nc\n');
    write(join(data, 'ImageSets', 'Segmentation', 'test.txt'), 'd\n');
    const crack = { box: BOX, colour: [250, 50, 83] as const };
    const border = { box: [0, 0, 2, 2] as const, colour: [224, 224, 192] as const };
    await boxes(join(data, 'SegmentationClass', 'a.png'), [crack, border, { box: OTHER, colour: [128, 0, 0] }]);
    await boxes(join(data, 'SegmentationClass', 'b.png'), [crack]);
    await boxes(join(data, 'SegmentationClass', 'd.png'), []);
    const dataset = await Dataset.open(data);
    expect(dataset.format).toBe('voc');
    expect(await boxesOf(dataset)).toEqual(EXPECTED);
    expect(relative(data, await dataset.goodImages())).toEqual(['JPEGImages/c.jpg']);
    expect(relative(data, await dataset.goodImages('test'))).toEqual(['JPEGImages/d.jpg']);
  });

  it("numbers the classes of VOC's palette without labelmap.txt", async () => {
    const data = folder();
    await photograph(join(data, 'JPEGImages', 'a.jpg'));
    await boxes(join(data, 'SegmentationClass', 'a.png'), [
      { box: BOX, colour: [128, 0, 0] },
      { box: OTHER, colour: [192, 128, 0] },
    ]);
    expect(await opened(data)).toEqual({ 'class-1': { a: [...BOX] }, 'class-11': { a: [...OTHER] } });
  });
});

describe('Datumaro', () => {
  it('is read with polygons and masks, as a folder and as a file', async () => {
    const data = folder();
    const size = [SIZE.height, SIZE.width];
    const item = (id: string, annotations: object[]) => ({ id, annotations, image: { path: `${id}.png`, size } });
    const file = write(join(data, 'annotations', 'default.json'), {
      info: {},
      categories: { label: { labels: [{ name: 'crack', parent: '' }, { name: 'hole' }], attributes: [] } },
      items: [
        item('a', [
          { id: 0, type: 'polygon', label_id: 0, points: cornersOf(BOX), group: 0 },
          { id: 0, type: 'mask', label_id: 1, rle: { counts: compressed(runsOf(OTHER)), size } },
        ]),
        item('b', [{ id: 1, type: 'mask', label_id: 0, rle: { counts: runsOf(BOX), size } }]),
        item('c', []),
        item('tagged', [{ id: 1, type: 'label', label_id: 0 }]),
      ],
    });
    for (const name of ['a', 'b', 'c', 'tagged']) await photograph(join(data, 'images', 'default', `${name}.png`));
    const dataset = await Dataset.open(data);
    expect(dataset.format).toBe('datumaro');
    expect(await boxesOf(dataset)).toEqual(EXPECTED);
    expect(relative(data, await dataset.goodImages())).toEqual(['images/default/c.png']);
    expect(await opened(file)).toEqual(EXPECTED);
  });
});

describe('images beside masks', () => {
  it.each([
    ['images/a.jpg', 'masks/a.png', 'images/c.jpg', 'masks/c.png', 'defect'],
    ['train/images/a.jpg', 'train/masks/a_mask.png', 'train/images/c.jpg', 'train/masks/c_mask.png', 'defect'],
    ['images/crack/a.jpg', 'masks/crack/a.png', 'images/good/c.jpg', undefined, 'crack'],
    ['abnormal/a.jpg', 'mask/a.png', 'normal/c.jpg', undefined, 'defect'],
    ['crack/a.jpg', 'mask/crack/a.jpg', 'good/c.jpg', undefined, 'crack'],
    ['a.jpg', 'a_mask.png', 'c.jpg', 'c_mask.png', 'defect'],
  ])('are read as %s and %s', async (image, mask, good, blank, type) => {
    const data = folder();
    await photograph(join(data, image));
    await photograph(join(data, good));
    await boxes(join(data, mask), [{ box: BOX, colour: WHITE }]);
    if (blank !== undefined) await boxes(join(data, blank), []);
    const dataset = await Dataset.open(data);
    expect(dataset.format).toBe('masks');
    expect(await boxesOf(dataset)).toEqual({ [type]: { a: [...BOX] } });
    expect(relative(data, await dataset.goodImages())).toEqual([good]);
  });

  it('hold the numbers of classes where Roboflow lists them', async () => {
    const data = folder();
    write(join(data, 'train', '_classes.csv'), 'Pixel Value, Class\n0, background\n1, crack\n2, hole\n');
    for (const name of ['a', 'b', 'c']) await photograph(join(data, 'train', `${name}.jpg`));
    const crack = { box: BOX, colour: [1, 1, 1] as const };
    await boxes(join(data, 'train', 'a_mask.png'), [crack, { box: OTHER, colour: [2, 2, 2] }]);
    await boxes(join(data, 'train', 'b_mask.png'), [crack]);
    await boxes(join(data, 'train', 'c_mask.png'), []);
    const dataset = await Dataset.open(data);
    expect(await boxesOf(dataset)).toEqual(EXPECTED);
    expect(relative(data, await dataset.goodImages())).toEqual(['train/c.jpg']);
  });
});

describe('public datasets', () => {
  it('MVTec AD and MPDD', async () => {
    const data = folder();
    await writeCategory(data, 'crack', 1);
    expect([(await Dataset.open(data)).format, (await Dataset.open(data, { format: 'mpdd' })).format]).toEqual([
      'mvtec',
      'mpdd',
    ]);
    expect(await opened(data)).toEqual({ crack: { '000': [4, 8, 16, 20] } });
  });

  it('BTAD', async () => {
    const data = folder();
    await photograph(join(data, 'train', 'ok', '0000.png'));
    await photograph(join(data, 'test', 'ok', '0001.png'));
    await photograph(join(data, 'test', 'ko', '0002.png'));
    await boxes(join(data, 'ground_truth', 'ko', '0002.png'), [{ box: BOX, colour: WHITE }]);
    const dataset = await Dataset.open(data);
    expect(dataset.format).toBe('btad');
    expect(await boxesOf(dataset)).toEqual({ ko: { '0002': [...BOX] } });
    expect(relative(data, await dataset.goodImages())).toEqual(['train/ok/0000.png']);
    expect(relative(data, await dataset.goodImages('test'))).toEqual(['test/ok/0001.png']);
  });

  it('VisA, whose masks hold numbers', async () => {
    const data = folder();
    await photograph(join(data, 'Data', 'Images', 'Normal', '0000.jpg'));
    await photograph(join(data, 'Data', 'Images', 'Anomaly', '000.jpg'));
    const half = [BOX[0], BOX[1], 10, BOX[3]] as const;
    await boxes(join(data, 'Data', 'Masks', 'Anomaly', '000.png'), [
      { box: BOX, colour: [3, 3, 3] },
      { box: half, colour: [1, 1, 1] },
    ]);
    write(join(data, 'image_anno.csv'), 'image,label,mask\n');
    const dataset = await Dataset.open(data);
    expect(dataset.format).toBe('visa');
    expect(await boxesOf(dataset)).toEqual({ anomaly: { '000': [...BOX] } });
    expect(relative(data, await dataset.goodImages())).toEqual(['Data/Images/Normal/0000.jpg']);
  });

  it.each([
    ['kos01/Part0.jpg', 'kos01/Part0_label.png', 'kos02/Part0.jpg', 'kos02/Part0_label.png', 'kos01_Part0'],
    ['train/10000.png', 'train/10000_GT.png', 'test/10001.png', 'test/10001_GT.png', '10000'],
  ])('KolektorSDD as %s and %s', async (image, mask, good, blank, name) => {
    const data = folder();
    await photograph(join(data, image));
    await photograph(join(data, good));
    await boxes(join(data, mask), [{ box: BOX, colour: WHITE }]);
    await boxes(join(data, blank), []);
    const dataset = await Dataset.open(data);
    expect(dataset.format).toBe('kolektor');
    expect(await boxesOf(dataset)).toEqual({ defect: { [name]: [...BOX] } });
    const purpose = good.startsWith('test') ? 'test' : 'train';
    expect(relative(data, await dataset.goodImages(purpose))).toEqual([good]);
  });

  it('finds each category in a folder of several', async () => {
    const data = folder();
    await writeCoco(join(data, 'a'));
    await writeCategory(join(data, 'b'), 'crack', 1);
    expect(await Dataset.categoriesIn(data)).toEqual([join(data, 'a'), join(data, 'b')]);
    expect((await Dataset.openAll(data)).map(({ format }) => format)).toEqual(['coco', 'mvtec']);
    write(join(data, 'c', 'cut-off.json'), '{"images": [');
    expect((await Dataset.categoriesIn(data)).at(-1)).toBe(join(data, 'c'));
    await expect(Dataset.openAll(data)).rejects.toThrow('cut-off.json is not valid JSON');
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Dataset } from '../../lib/dataset/dataset.js';
import { readExample } from '../../lib/dataset/example-file.js';
import { readMask } from '../../lib/dataset/mask-file.js';
import { BOX, boxes, boxesOf, compressed, cornersOf, photograph, runsOf, SIZE, write } from '../helpers/annotated.js';
import { scratchFolder } from '../helpers/scratch.js';

const root = scratchFolder();
let made = 0;
const folder = () => join(root, `data${made++}`);

/** Opens a dataset and reads every example, as a training does. */
async function readAll(path: string): Promise<void> {
  const dataset = await Dataset.open(path);
  for (const type of dataset.types) for (const example of await dataset.examples(type)) await readExample(example);
}

async function failure(path: string): Promise<string> {
  const error = await readAll(path).then(
    () => undefined,
    (cause: Error & { code: string }) => cause,
  );
  expect(error?.code).toBe('ERR_DATASET_INVALID');
  return (error as Error).message.replaceAll(root, 'ROOT').replace(/data\d+/g, 'DATA');
}

const coco = (annotation: object, image: object = {}) => ({
  categories: [{ id: 1, name: 'crack' }],
  images: [{ id: 1, file_name: 'a.png', ...SIZE, ...image }],
  annotations: [{ id: 5, image_id: 1, category_id: 1, segmentation: [cornersOf(BOX)], ...annotation }],
});
const size = [SIZE.height, SIZE.width];

describe('a COCO file that cannot be used', () => {
  it.each([
    [{ segmentation: [[1, 2, 3, 4]] }, {}, 'annotations[0] (id 5) has a polygon of 2 points: expected at least 3'],
    [{ segmentation: [[1, 2, 3, 4, 5]] }, {}, 'has a polygon that is not a list of x and y in turn'],
    [{ segmentation: [[1, 2, 3, null, 5, 6]] }, {}, 'has a polygon that is not a list of x and y in turn'],
    [{ segmentation: [1, 2, 3, 4, 5, 6] }, {}, 'has a polygon that is not a list of x and y in turn'],
    [{ segmentation: [] }, {}, 'has no segmentation: expected polygons or run lengths, because a box is no mask'],
    [{ segmentation: undefined }, {}, 'has no segmentation'],
    [{ segmentation: [[50, 5, 60, 5, 55, 9]] }, {}, 'lies from (50, 5) to (60, 9), outside of its image of 40 x 30'],
    [{ segmentation: [[1, 1, 1e12, 5, 5, 9]] }, {}, 'lies from (1, 1) to (1000000000000, 9), outside of its image'],
    [
      { segmentation: { counts: runsOf(BOX), size: [3, 4] } },
      {},
      'has run lengths for 4 x 3 pixels, but its image has 40 x 30',
    ],
    [{ segmentation: { counts: [7, 5], size } }, {}, 'has run lengths of 12 pixels in all, but 40 x 30 are 1200'],
    [{ segmentation: { counts: [-7, 1207], size } }, {}, 'has the run length -7: expected whole numbers from 0 on'],
    [{ segmentation: { counts: [], size } }, {}, 'has run lengths of 0 pixels in all'],
    [{ segmentation: { counts: 'a b', size } }, {}, 'has run lengths that cannot be decoded at character 1'],
    [{ segmentation: { counts: 'oooooooooooo', size } }, {}, 'has run lengths that cannot be decoded at character 9'],
    [{ segmentation: { counts: 'o', size } }, {}, 'has run lengths that are cut off'],
    [{ category_id: 9 }, {}, 'has the category_id 9, which is not among the categories 1 (crack): add it there'],
    [{ image_id: 9 }, {}, 'has the image_id 9, which is not among the images: add'],
    [{}, { file_name: 'b.png' }, 'image 1 (b.png) names the image b.png, which is missing in ROOT/DATA'],
    [{}, { file_name: '/etc/a.png' }, 'names its image "/etc/a.png": expected a path relative to ROOT/DATA'],
    [{}, { file_name: 'C:\\a.png' }, 'expected a path relative to ROOT/DATA'],
    [{}, { file_name: '../../../a.png' }, 'names its image "../../../a.png", which leads out of ROOT/DATA'],
    [{}, { file_name: '../z.png' }, 'names its image "../z.png", which leads out of ROOT/DATA'],
    [{}, { file_name: 'x\0y.png' }, 'which is missing'],
    [{}, { width: 41 }, 'says that the image has 41 x 30 pixels, but it has 40 x 30'],
    [{}, { width: 1e9, height: 1e9 }, 'says that the image has 1000000000 x 1000000000 pixels, but it has 40 x 30'],
    [{}, { width: -4 }, 'images[0] cannot be used: expected a number of pixels for width but received -4: correct it'],
    [
      {},
      { height: '80' },
      'images[0] cannot be used: expected a number of pixels for height but received "80": correct',
    ],
    [{}, { height: [1, 2] }, 'expected a number of pixels for height but received a list of 2: correct it'],
    [{}, { file_name: 7 }, 'images[0] cannot be used: expected a path for file_name but received 7: correct it'],
    [{}, { file_name: undefined }, 'expected a path for file_name but received nothing: correct it'],
    [{ category_id: '01' }, {}, 'has the category_id "01", which is not among the categories 1 (crack): add it there'],
    [{ image_id: null }, {}, 'expected a number or a text for image_id but received null'],
  ])('%j %j', async (annotation, image, message) => {
    const data = folder();
    await photograph(join(data, 'a.png'));
    await photograph(join(root, 'a.png'));
    const file = write(join(data, 'coco.json'), coco(annotation, image));
    expect(await failure(data)).toContain(message);
    expect(await failure(file)).toContain('ROOT/DATA/coco.json: ');
  });

  it('because it is cut off', async () => {
    const data = folder();
    const whole = JSON.stringify(coco({}));
    for (const length of [0, 1, 20, whole.length - 1]) {
      const file = write(join(data, 'coco.json'), whole.slice(0, length));
      expect(await failure(data)).toContain('ROOT/DATA/coco.json is not valid JSON, it may be cut off');
      expect(await failure(file)).toContain('is not valid JSON, it may be cut off');
    }
  });

  it('because of its categories', async () => {
    const data = folder();
    await photograph(join(data, 'a.png'));
    const file = join(data, 'coco.json');
    write(file, { ...coco({}), categories: [{ id: 1, name: '../crack' }] });
    expect(await failure(data)).toContain('coco.json: the category 1 cannot be a defect type with the name "../crack"');
    write(file, { ...coco({}), categories: undefined });
    expect(await failure(data)).toContain('coco.json cannot be used: expected a list for categories');
  });

  it('because it lists an image twice', async () => {
    const data = folder();
    await photograph(join(data, 'a.png'));
    const { images, ...rest } = coco({});
    const file = join(data, 'coco.json');
    write(file, { ...rest, images: [...images, { ...images[0], id: 2 }] });
    expect(await failure(data)).toContain(
      'The image a.png is annotated twice, by ROOT/DATA/coco.json: image 1 (a.png)',
    );
    write(file, { ...rest, images: [...images, ...images] });
    expect(await failure(data)).toContain('lists the image id 1 twice');
    await photograph(join(data, 'a.jpg'));
    write(file, { ...rest, images: [...images, { ...images[0], id: 2, file_name: 'a.jpg' }] });
    expect(await failure(data)).toContain('ROOT/DATA: a.png and a.jpg would share the name a: rename one of them');
  });

  it('because it marks nothing', async () => {
    const data = folder();
    await photograph(join(data, 'a.png'));
    write(join(data, 'coco.json'), { ...coco({}), annotations: [] });
    expect(await failure(data)).toContain('marks no defect in its 1 images');
    write(join(data, 'coco.json'), coco({ segmentation: [[5.2, 5.2, 5.3, 5.2, 5.3, 5.3]] }));
    const dataset = await Dataset.open(data);
    const [example] = await dataset.examples('crack');
    await expect(readMask(example?.mask as string)).rejects.toThrow(
      'coco.json: annotations[0] (id 5) is empty: it marks no pixel, so draw it larger or remove it',
    );
    await expect(Dataset.load([example as never], 16, 'crop')).rejects.toThrow('is empty: it marks no pixel');
  });
});

it('a polygon that crosses itself or leaves its image is cut, not refused', async () => {
  const data = folder();
  await photograph(join(data, 'a.png'));
  write(join(data, 'coco.json'), coco({ segmentation: [[-3, 6, 17, 6, 17, 14, -3, 14]] }));
  expect(await boxesOf(await Dataset.open(data))).toEqual({ crack: { a: [0, 6, 17, 14] } });
  write(join(data, 'coco.json'), coco({ segmentation: [[5, 5, 15, 15, 15, 5, 5, 15]] }));
  await readAll(data);
});

const labelme = (shape: object, more: object = {}) => ({
  shapes: [
    {
      label: 'crack',
      points: [
        [5, 6],
        [17, 6],
        [17, 14],
      ],
      shape_type: 'polygon',
      ...shape,
    },
  ],
  ...{ imagePath: 'a.png', imageData: null, imageHeight: SIZE.height, imageWidth: SIZE.width, ...more },
});

describe('a labelme file that cannot be used', () => {
  it.each([
    [
      {
        points: [
          [1, 2],
          [3, 4],
        ],
      },
      {},
      'shapes[0] (crack) is a polygon of 2 points: expected at least 3',
    ],
    [{ shape_type: 'circle' }, {}, 'shapes[0] (crack) is a circle of 3 points: expected 2'],
    [{ shape_type: 'star' }, {}, 'has the unknown shape_type "star": expected polygon, '],
    [{ shape_type: 'constructor' }, {}, 'has the unknown shape_type "constructor": expected polygon, '],
    [{ points: [[1, 2, 3]] }, {}, 'shapes[0] cannot be used: expected pairs of x and y for points.0'],
    [
      {
        points: [
          [80, 2],
          [85, 3],
          [90, 9],
        ],
      },
      {},
      'shapes[0] (crack) lies from (80, 2) to (90, 9), outside of its image of 40 x 30',
    ],
    [
      {
        shape_type: 'mask',
        points: [
          [1, 1],
          [2, 2],
        ],
      },
      {},
      'is a mask without an image',
    ],
    [
      {
        shape_type: 'mask',
        points: [
          [1, 1],
          [2, 2],
        ],
        mask: 'AAAA',
      },
      {},
      'is not a readable image',
    ],
    [{ label: 'a/b' }, {}, 'cannot be a defect type with the name "a/b"'],
    [{}, { imagePath: '../a.png' }, 'names its image "../a.png", which leads out of ROOT/DATA'],
    [{}, { imagePath: null }, 'names its image ""'],
    [{}, { imageData: 'AAAA' }, 'the image in ROOT/DATA/a.json is not a readable image'],
    [{}, { imageWidth: 10, imageHeight: 10 }, 'a.json says that the image has 10 x 10 pixels, but it has 40 x 30'],
  ])('%j %j', async (shape, more, message) => {
    const data = folder();
    await photograph(join(data, 'a.png'));
    write(join(data, 'a.json'), labelme(shape, more));
    expect(await failure(data)).toContain(message);
  });

  it('because the image inside is larger than it claims', async () => {
    const data = folder();
    const image = await photograph(join(root, 'large.png'), '#444', { width: 400, height: 300 });
    write(join(data, 'a.json'), labelme({}, { imageData: readFileSync(image).toString('base64') }));
    expect(await failure(data)).toContain('says that the image has 40 x 30 pixels, but it has 400 x 300');
  });

  it('because one of several files is cut off', async () => {
    const data = folder();
    await photograph(join(data, 'a.png'));
    write(join(data, 'a.json'), labelme({}));
    write(join(data, 'b.json'), JSON.stringify(labelme({})).slice(0, 40));
    expect(await failure(data)).toContain('ROOT/DATA/b.json is not valid JSON, it may be cut off');
  });
});

describe('a dataset of YOLO that cannot be used', () => {
  const yaml = 'names: [crack]\ntrain: images\nval: images\n';
  it.each([
    [
      yaml,
      '3 0.1 0.1 0.5 0.1 0.5 0.5',
      'labels/a.txt: line 1 has the class 3, but ROOT/DATA/data.yaml names the classes 0',
    ],
    [yaml, 'crack 0.1 0.1 0.5 0.1 0.5 0.5', 'line 1 has the class crack, but'],
    [yaml, '0 0.1 0.1 0.5 0.1', 'line 1 is a box, which is no mask'],
    [yaml, '0 0.1 0.1 0.5 0.1 0.5', 'line 1 is no polygon: expected a class and x and y of at least 3 points'],
    [yaml, '0 0.1 0.1 0.5 x 0.5 0.5', 'line 1 is no polygon'],
    [yaml, '\n0 10 10 50 10 50 50', "line 2 has the coordinate 10: expected shares of the image's size, 0 to 1"],
    ['names: [crack]\ntrain: elsewhere\n', '', 'names elsewhere for train, which is missing below ROOT/DATA'],
    ['names: [crack]\ntrain: /etc\n', '', 'names /etc for train, which is missing below ROOT/DATA'],
    [
      'names: [crack]\ntrain: list.txt\n',
      '',
      'list.txt: line 1 names its image "/etc/passwd": expected a path relative',
    ],
    ['names: [crack]\nnc: 2\ntrain: images\n', '', 'says nc: 2, but it names 1 classes'],
    ['train: images\n', '', 'data.yaml cannot be used: expected the names of the classes for names'],
    ['names: [crack\n', '', 'data.yaml is not YAML'],
    [
      'names: [a/b]\ntrain: images\n',
      '0 0.1 0.1 0.5 0.1 0.5 0.5',
      'the class 0 cannot be a defect type with the name "a/b"',
    ],
  ])('%j %j', async (config, labels, message) => {
    const data = folder();
    write(join(data, 'data.yaml'), config);
    write(join(data, 'list.txt'), '/etc/passwd\n');
    await photograph(join(data, 'images', 'a.png'));
    write(join(data, 'labels', 'a.txt'), labels);
    expect(await failure(data)).toContain(message);
  });
});

describe('a folder that cannot be used', () => {
  it('of Pascal VOC', async () => {
    const data = folder();
    await boxes(join(data, 'SegmentationClass', 'a.png'), [{ box: BOX, colour: [1, 2, 3] }]);
    expect(await failure(data)).toContain('has no folder JPEGImages');
    await photograph(join(data, 'JPEGImages', 'b.jpg'));
    expect(await failure(data)).toContain('a.png belongs to a, which is missing in ROOT/DATA/JPEGImages');
    await photograph(join(data, 'JPEGImages', 'a.jpg'));
    expect(await failure(data)).toContain("a.png has the colour 1,2,3, which VOC's palette does not list");
    write(join(data, 'labelmap.txt'), 'crack:1,2\n');
    expect(await failure(data)).toContain('Expected name:red,green,blue in line 1 of ROOT/DATA/labelmap.txt');
  });

  it('of Datumaro', async () => {
    const data = folder();
    await photograph(join(data, 'images', 'a.png'));
    const file = join(data, 'annotations', 'default.json');
    const datumaro = (annotation: object) => ({
      categories: { label: { labels: [{ name: 'crack' }] } },
      items: [{ id: 'a', annotations: [annotation], image: { path: 'a.png', size } }],
    });
    write(file, datumaro({ type: 'bbox', label_id: 0, bbox: [1, 2, 3, 4] }));
    expect(await failure(data)).toContain('items[0] (a), shape 0 is a bbox, which does not mark pixels');
    write(file, datumaro({ type: 'polygon', label_id: 4, points: cornersOf(BOX) }));
    expect(await failure(data)).toContain('items[0] (a) has the label_id 4, but the labels are 0 (crack)');
    write(file, datumaro({ type: 'mask', label_id: 0, rle: { counts: compressed(runsOf(BOX)), size: [9, 9] } }));
    expect(await failure(data)).toContain('has run lengths for 9 x 9 pixels, but its image has 40 x 30');
  });

  it('of masks', async () => {
    const data = folder();
    await photograph(join(data, 'images', 'a.jpg'));
    await photograph(join(data, 'images', 'a.png'));
    await boxes(join(data, 'masks', 'a.png'), [{ box: BOX, colour: [255, 255, 255] }]);
    expect(await failure(data)).toContain('would share one mask: rename or remove one of them');
  });

  it('of nothing that is known', async () => {
    const data = folder();
    write(join(data, 'package.json'), { name: 'x' });
    expect(await failure(data)).toContain('no other format was found');
    expect(await failure(join(data, 'package.json'))).toContain('is no dataset: expected a JSON file of COCO');
    await expect(Dataset.open(join(data, 'package.json'), { format: 'voc' })).rejects.toThrow('is a file, but');
    await expect(Dataset.open(data, { format: 'xml' as never })).rejects.toThrow('Expected one of mvtec, btad, ');
    await expect(Dataset.open(data, { format: 'coco' })).rejects.toThrow('holds no COCO file');
  });
});

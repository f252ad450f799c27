import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Dataset } from '../../lib/dataset/dataset.js';
import { Faults } from '../../lib/dataset/faults.js';
import { readMask } from '../../lib/dataset/mask-file.js';
import { type CategoryCheck, check } from '../../lib/jobs/check.js';
import { BOX, boxes, write } from '../helpers/annotated.js';
import { checked, coco, cvat, datumaro, folderOf, item, labelme, polygon, usable } from '../helpers/faulty.js';

it('check lists every annotation of a COCO file that cannot be used, and looks at the other images', async () => {
  const data = await folderOf('1.png', '2.png', '3.png', '4.png', '5.png');
  const file = coco(
    ['1.png', '2.png', '3.png', '4.png', '5.png'],
    [
      { image_id: 1, category_id: 9 },
      { image_id: 2, segmentation: [[1, 2, 3, 4]] },
      { image_id: 3 },
      { image_id: 77 },
      { image_id: 4 },
      { image_id: 4, segmentation: [] },
    ],
  );
  write(join(data, 'coco.json'), file);
  const one = await checked(data);
  expect(one.messages).toEqual([
    'DATA/coco.json: annotations[0] (id 0) has the category_id 9, which is not among the categories 1 (crack): add it there',
    'DATA/coco.json: annotations[1] (id 1) has a polygon of 2 points: expected at least 3, so complete or remove it',
    'DATA/coco.json: annotations[3] (id 3) has the image_id 77, which is not among the images: add the image there, or remove the annotation',
    'DATA/coco.json: annotations[5] (id 5) has no segmentation: expected polygons or run lengths, because a box is no mask',
  ]);
  // Image 4 has a mask that would be incomplete, and the first two are no good images.
  expect([one.format, one.good, usable(one)]).toEqual(['coco', { train: 1, test: 0 }, [['crack', 1]]]);
});

it('check lists entries of images that cannot be used, without the annotations that name them', async () => {
  const data = await folderOf('1.png');
  const file = coco(['1.png', 'missing.png', '3.png', '1.png'], [{ image_id: 1 }, { image_id: 2 }, { image_id: 3 }]);
  Object.assign(file.images[2] as object, { width: '40' });
  Object.assign(file.images[3] as object, { id: 9 });
  write(join(data, 'coco.json'), file);
  const { categories } = await check({ data });
  const [one] = categories as [CategoryCheck];
  expect(one.problems.map(({ message }) => message.replaceAll(data, 'DATA').slice(0, 60))).toEqual([
    'DATA/coco.json: images[2] cannot be used: expected a number ',
    'DATA/coco.json: image 2 (missing.png) names the image missin',
    'The image 1.png is annotated twice, by DATA/coco.json: image',
  ]);
  expect(usable(one)).toEqual([['crack', 1]]);
});

it('check lists categories of COCO that cannot be used, without the annotations that name them', async () => {
  const data = await folderOf('1.png', '2.png', '3.png', '4.png');
  const categories = [
    { id: 1, name: 'crack' },
    { id: 2, name: 7 },
    'hole',
    { id: 3, name: 'a' },
    { id: '3', name: 'b' },
  ];
  const annotations = [1, 2, 3, 2].map((id, i) => ({ image_id: i + 1, category_id: id }));
  Object.assign(annotations[3] as object, { segmentation: [] });
  write(join(data, 'coco.json'), coco(['1.png', '2.png', '3.png', '4.png'], annotations, { categories }));
  const one = await checked(data);
  expect(one.messages.map((message) => message.slice(0, 90))).toEqual([
    'DATA/coco.json: categories[1] cannot be used: expected a text for name but received 7: cor',
    'DATA/coco.json: categories[2] cannot be used: expected an object { id, name } but received',
    'DATA/coco.json lists the category id 3 twice: export it again',
    'DATA/coco.json: annotations[3] (id 3) has no segmentation: expected polygons or run length',
  ]);
  expect([usable(one), one.good.train]).toEqual([[['crack', 1]], 0]);
});

it('check lists every image of classes of VOC that cannot be used', async () => {
  const names = ['1', '2', '3', '4'];
  const data = await folderOf(...names.slice(0, 3).map((name) => `JPEGImages/${name}.png`));
  for (const name of names) {
    await boxes(join(data, 'SegmentationClass', `${name}.png`), [{ box: BOX, colour: [128, 0, 0] }]);
  }
  await boxes(join(data, 'SegmentationClass', '2.png'), [{ box: BOX, colour: [1, 2, 3] }]);
  write(join(data, 'labelmap.txt'), 'background:0,0,0::\ncrack:128,0,0::\n');
  const one = await checked(data);
  expect(one.messages).toEqual([
    'DATA/SegmentationClass/2.png has the colour 1,2,3, which DATA/labelmap.txt does not list: add it there',
    'DATA/SegmentationClass/4.png belongs to 4, which is missing in DATA/JPEGImages: add the image',
  ]);
  expect([one.format, usable(one), one.good.train]).toEqual(['voc', [['crack', 2]], 0]);
});

it('a fault that many entries share is listed once', async () => {
  const data = await folderOf('1.png', '2.png');
  const categories = [{ id: 1, name: 'a/b' }];
  write(join(data, 'coco.json'), coco(['1.png', '2.png'], [{ image_id: 1 }, { image_id: 2 }], { categories }));
  expect((await checked(data)).messages).toEqual([
    'DATA/coco.json: the category 1 cannot be a defect type with the name "a/b": rename it, so that a folder can have the name',
  ]);
});

it.each([
  ['coco', coco(['1.png'], [{ image_id: 1 }])],
  ['labelme', { shapes: [], imagePath: '1.png', flags: {} }],
  ['datumaro', { items: [{ id: '1', annotations: [], image: { path: '1.png' } }], categories: {} }],
])('check names the format of a file of %s that is cut off', async (format, content) => {
  const data = await folderOf('1.png');
  const file = write(join(data, 'annotations.json'), JSON.stringify(content).slice(0, -2));
  for (const path of [data, file]) {
    const one = await checked(path);
    expect([one.format, one.messages.length]).toEqual([format, 1]);
    expect(one.messages[0]).toContain('is not valid JSON, it may be cut off');
  }
});

it('check surveys data without a defect, and says that it has none', async () => {
  const data = await folderOf('1.png', '2.png');
  write(join(data, 'coco.json'), coco(['1.png', '2.png'], []));
  const one = await checked(data);
  expect([one.format, one.good.train, one.messages]).toEqual([
    'coco',
    2,
    ['DATA marks no defect in its 2 images: expected at least one mask'],
  ]);
});

it('check lists the broken files among many of labelme, and takes none of their images for a good one', async () => {
  const names = Array.from({ length: 12 }, (_, i) => `${10 + i}`);
  const data = await folderOf(...names.map((name) => `${name}.png`), 'good/1.png', 'good/2.png');
  for (const name of names) write(join(data, `${name}.json`), labelme(`${name}.png`));
  write(join(data, '11.json'), '{"shapes": [');
  write(
    join(data, '14.json'),
    labelme('14.png', {
      shapes: [
        { label: 7, points: [] },
        { label: 'x', points: [] },
      ],
    }),
  );
  write(join(data, 'good', '1.json'), labelme('1.png', { shapes: 7 }));
  write(join(data, 'good', '3.json'), labelme('2.png', { shapes: [{ label: 'x', points: [] }] }));
  const one = await checked(data);
  expect(one.messages.map((message) => message.slice(0, 50))).toEqual([
    'DATA/11.json is not valid JSON, it may be cut off ',
    'DATA/14.json: shapes[0] cannot be used: expected a',
    'DATA/14.json: shapes[1] (x) is a polygon of 0 poin',
    'DATA/good/3.json: shapes[0] (x) is a polygon of 0 ',
  ]);
  expect([one.format, usable(one), one.good.train]).toEqual(['labelme', [['crack', 10]], 1]);
});

it('check lists every faulty line of files of YOLO', async () => {
  const names = Array.from({ length: 9 }, (_, i) => `${i}`);
  const data = await folderOf(...names.map((name) => `images/${name}.png`));
  for (const name of names) write(join(data, 'labels', `${name}.txt`), '0 0.1 0.1 0.5 0.1 0.5 0.5\n');
  write(join(data, 'labels', '3.txt'), '0 0.1 0.1 0.5 0.1 0.5 0.5\n7 0.1 0.1 0.5 0.1 0.5 0.5\n0 0.1\n');
  write(join(data, 'labels', '6.txt'), '0 0.5 0.5 0.1 0.1\n');
  write(join(data, 'data.yaml'), 'names: [crack]\ntrain: images\n');
  const one = await checked(data);
  expect(one.messages).toEqual([
    'DATA/labels/3.txt: line 2 has the class 7, but DATA/data.yaml names the classes 0: correct one of them',
    'DATA/labels/3.txt: line 3 is no polygon: expected a class and x and y of at least 3 points in turn, so correct or remove it',
    'DATA/labels/6.txt: line 1 is a box, which is no mask: export the dataset for segmentation',
  ]);
  expect([one.format, usable(one), one.good]).toEqual(['yolo', [['crack', 7]], { train: 0, test: 0 }]);
});

it('check lists masks that cannot be read', async () => {
  const data = await folderOf('images/1.png', 'images/2.png', 'images/3.png');
  for (const name of ['1', '2', '3']) {
    await boxes(join(data, 'masks', `${name}.png`), [{ box: BOX, colour: [255, 255, 255] }]);
  }
  write(join(data, 'masks', '1.png'), 'no image');
  copyFileSync(join(data, 'masks', '3.png'), join(data, 'masks', '3_mask.png'));
  const { categories } = await check({ data });
  const [one] = categories as [CategoryCheck];
  expect(one.problems.map(({ message }) => message.replaceAll(data, 'DATA'))).toEqual([
    'DATA/masks/3.png and DATA/masks/3_mask.png are masks of one image: rename or remove one of them',
    'DATA/masks/1.png is not a readable image: it contains unsupported image format',
  ]);
  expect([one.format, usable(one)]).toEqual(['masks', [['defect', 2]]]);
});

it('check lists every faulty shape of CVAT', async () => {
  const data = await folderOf('images/1.png', 'images/2.png', 'images/3.png');
  const shapes = [polygon('1,1;9,1;9,9'), polygon('1,1'), '<points label="crack" points="1,1"/>'];
  const images = [
    { name: '1.png', shapes: shapes[0] as string },
    { name: '2.png', shapes: shapes.join('') },
  ];
  write(join(data, 'annotations.xml'), cvat([...images, { name: '4.png' }, { name: '3.png' }]));
  const one = await checked(data);
  expect(one.messages.map((message) => message.slice(0, 62))).toEqual([
    'DATA/annotations.xml: line 2, polygon in 2.png has a polygon o',
    'DATA/annotations.xml: line 2, points in 2.png is a points, whi',
    'DATA/annotations.xml: line 3 (4.png) names the image 4.png, wh',
  ]);
  expect([one.format, usable(one), one.good.train]).toEqual(['cvat', [['crack', 1]], 1]);
});

it('check lists every faulty item of Datumaro', async () => {
  const data = await folderOf('images/1.png', 'images/2.png', 'images/3.png');
  const items = [item('1', [{}]), item('2', [{ label_id: 4 }, {}, { points: [1, 2] }]), { id: 3 }, item('3', [])];
  write(join(data, 'annotations', 'default.json'), datumaro(items));
  const one = await checked(data);
  expect(one.messages.map((message) => message.slice(0, 70))).toEqual([
    'DATA/annotations/default.json: items[1] (2) has the label_id 4, but th',
    'DATA/annotations/default.json: items[1] (2), shape 2 has a polygon of ',
    'DATA/annotations/default.json: items[2] cannot be used: expected a tex',
  ]);
  expect([one.format, usable(one), one.good.train]).toEqual(['datumaro', [['crack', 1]], 1]);
});

it('ids of COCO that are texts in one list and numbers in another one are the same', async () => {
  const data = await folderOf('1.png', '2.png');
  write(join(data, 'coco.json'), coco(['1.png', '2.png'], [{ image_id: '2', category_id: '1' }]));
  const [example] = await (await Dataset.open(data)).examples('crack');
  expect(example?.name).toBe('2');
  const images = [1, '1'].map((id) => ({ id, file_name: `${id}.png` }));
  write(join(data, 'coco.json'), coco([], [], { images }));
  expect((await checked(data)).messages).toEqual(['DATA/coco.json lists the image id 1 twice: export it again']);
});

it('a mask inside of a labelme file that is no image is named in a whole sentence', async () => {
  const data = await folderOf('1.png');
  const shape = {
    label: 'crack',
    shape_type: 'mask',
    points: [
      [1, 1],
      [4, 4],
    ],
    mask: Buffer.from('no').toString('base64'),
  };
  write(join(data, '1.json'), labelme('1.png', { shapes: [shape] }));
  const [example] = await (await Dataset.open(data)).examples('crack');
  await expect(readMask(example?.mask as never)).rejects.toThrow(
    `The mask in ${join(data, '1.json')}: shapes[0] (crack) is not a readable image: it contains unsupported image format: draw the mask again, or remove its shape`,
  );
});

it('an empty mask of several shapes names the first one', async () => {
  const data = await folderOf('1.png');
  const segmentation = [[5.2, 5.2, 5.3, 5.2, 5.3, 5.3]];
  const tiny = { image_id: 1, segmentation };
  write(join(data, 'coco.json'), coco(['1.png'], [tiny, tiny]));
  expect(
    (await check({ data })).categories[0]?.problems.map(({ message }) => message.replaceAll(data, 'DATA')),
  ).toEqual([
    'DATA/coco.json: annotations[0] (id 0) is empty: it marks no pixel, like 1 more of its type in the image, so draw it larger or remove it',
  ]);
});

it('faults of entries that are read a few at once are in the order of the entries', async () => {
  const faults = Faults.keep();
  const read = await faults.readEach([5, 1, 4, 2, 3], async (entry, own) => {
    await new Promise((resolve) => setTimeout(resolve, 10 * entry));
    if (entry > 3) own.add(new Error(`fault ${entry}`));
    if (entry === 1) throw new Error('fault 1');
    return entry;
  });
  expect(read).toEqual([2, 3]);
  expect(faults.found.map((error) => (error as Error).message)).toEqual(['fault 5', 'fault 1', 'fault 4']);
  await expect(
    Faults.thrown.readEach([5, 1], async (entry, own) => own.add(new Error(`fault ${entry}`))),
  ).rejects.toThrow('fault 5');
});

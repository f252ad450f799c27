import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { check } from '../../lib/jobs/check.js';
import { photograph, SIZE, write } from '../helpers/annotated.js';
import { checked, coco, cvat, datumaro, folderOf, item, labelme, polygon, usable } from '../helpers/faulty.js';

it.each([
  ['coco', 'coco.json', coco(['images/1.png', 'images/2.png'], [{ image_id: 1 }])],
  [
    'cvat',
    'annotations.xml',
    cvat([
      { name: '1.png', shapes: polygon('1,1;9,1;9,9') },
      { name: '2.png', width: 41 },
    ]),
  ],
  ['datumaro', 'annotations/default.json', datumaro([item('1', [{}]), item('2', [], [SIZE.height, 41])])],
  ['labelme', 'a.json', labelme('images/1.png')],
])('a good image of another size than %s says is refused', async (format, name, content) => {
  const data = await folderOf('images/1.png', 'images/2.png');
  if (typeof content === 'object' && 'images' in content) Object.assign(content.images[1] as object, { width: 41 });
  write(join(data, name), content);
  const claimed = { imageWidth: 41, imageHeight: SIZE.height, shapes: [] };
  if (format === 'labelme') write(join(data, 'b.json'), labelme('images/2.png', claimed));
  const one = await checked(data);
  expect(one.messages).toHaveLength(1);
  expect(one.messages[0]).toContain('says that the image has 41 x 30 pixels, but it has 40 x 30: export');
  expect([one.format, usable(one), one.good.train]).toEqual([format, [['crack', 1]], 0]);
});

it('a good image inside of a labelme file is refused if it has another size than the file says', async () => {
  const data = await folderOf('1.png');
  const imageData = (
    await sharp(await photograph(join(data, 'large', '2.png'), '#888', { width: 80, height: 60 })).toBuffer()
  ).toString('base64');
  write(join(data, '1.json'), labelme('1.png'));
  write(join(data, '2.json'), labelme('2.png', { shapes: [], imageData, imageWidth: 40, imageHeight: 30 }));
  expect((await checked(data)).messages).toEqual([
    'DATA/2.json says that the image has 40 x 30 pixels, but it has 80 x 60: export the annotations again',
  ]);
});

it('a good image that cannot be read is one problem, whatever its annotation says about its size', async () => {
  const data = await folderOf('1.png');
  write(join(data, '2.png'), 'no image');
  write(join(data, 'coco.json'), coco(['1.png', '2.png'], [{ image_id: 1 }]));
  const { categories } = await check({ data });
  expect(categories[0]?.problems.map(({ message }) => message.replaceAll(data, 'DATA'))).toEqual([
    'DATA/2.png is not a readable image: it contains unsupported image format',
  ]);
});

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Dataset } from '../../lib/dataset/dataset.js';
import { readExample } from '../../lib/dataset/example-file.js';
import { readMask } from '../../lib/dataset/mask-file.js';
import { importData } from '../../lib/jobs/import.js';
import { BOX, boxesOf, photograph, SIZE, write } from '../helpers/annotated.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const root = scratchFolder();
let made = 0;

const [left, top, right, bottom] = BOX;
const corners = `${left},${top};${right},${top};${right},${bottom};${left},${bottom}`;
const polygon = `<polygon label="crack" source="manual" occluded="0" points="${corners}" z_order="0"></polygon>`;
const box = `<box label="crack" occluded="0" xtl="${left}.00" ytl="${top}.00" xbr="${right}.00" ybr="${bottom}.00"/>`;
const image = (name: string, shapes = '', more = '') =>
  `<image id="0" name="${name}" width="${SIZE.width}" height="${SIZE.height}"${more}>${shapes}</image>`;
const xmlOf = (content: string) =>
  `<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n<meta><task><id>4</id><labels><label><name>crack</name><attributes></attributes></label></labels></task></meta>\n${content}\n</annotations>\n`;

/** Writes an export of CVAT with images `a.jpg` and so on. */
async function writeCvat(xml: string, names: readonly string[] = ['a.jpg']): Promise<string> {
  const data = join(root, `${made++}`);
  for (const name of names) await photograph(join(data, 'images', name));
  write(join(data, 'annotations.xml'), xml);
  return data;
}

/** Returns the mask of the only example. */
async function maskOf(shapes: string) {
  const dataset = await Dataset.open(await writeCvat(xmlOf(image('a.jpg', shapes))));
  const [example] = await dataset.examples('crack');
  return (await readExample(example as NonNullable<typeof example>)).mask;
}

describe('an XML file of CVAT', () => {
  it('is read with polygons, boxes and masks, and turned boxes', async () => {
    const [width, height] = [right - left, bottom - top];
    const whole = `<mask label="crack" rle="0, ${width * height}" left="${left}" top="${top}" width="${width}" height="${height}"/>`;
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const lying = `<box label="crack" rotation="90.0" xtl="${x - height / 2}" ytl="${y - width / 2}" xbr="${x + height / 2}" ybr="${y + width / 2}"/>`;
    for (const shape of [polygon, box, whole, lying]) {
      const data = await writeCvat(xmlOf(image('a.jpg', shape)));
      for (const path of [data, join(data, 'annotations.xml')]) {
        const dataset = await Dataset.open(path);
        expect(dataset.format).toBe('cvat');
        expect(await boxesOf(dataset)).toEqual({ crack: { a: [...BOX] } });
      }
    }
  });

  it('is refused if it is one of several in a folder, so that none is left out unseen', async () => {
    const data = await writeCvat(xmlOf(image('a.jpg', polygon)));
    write(join(data, 'later.xml'), xmlOf(image('b.jpg', polygon)));
    await expectFailure(
      Dataset.open(data),
      'ERR_DATASET_INVALID',
      'holds several XML files of CVAT',
      'name one of them',
    );
  });

  it('counts the runs of a mask row by row in its box', async () => {
    const { data } = await maskOf('<mask label="crack" rle="1, 4, 2, 1, 1" left="2" top="3" width="3" height="3"/>');
    const marked = [...data.entries()]
      .filter(([, value]) => value > 0)
      .map(([i]) => [i % SIZE.width, Math.floor(i / SIZE.width)]);
    expect(marked).toEqual([
      [3, 3],
      [4, 3],
      [2, 4],
      [3, 4],
      [3, 5],
    ]);
  });

  it('draws an ellipse whose axes are turned', async () => {
    const { data } = await maskOf('<ellipse label="crack" cx="20" cy="15" rx="12" ry="5" rotation="30"/>');
    const [cos, sin] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
    let [both, either] = [0, 0];
    for (let i = 0; i < data.length; i++) {
      const [x, y] = [(i % SIZE.width) + 0.5 - 20, Math.floor(i / SIZE.width) + 0.5 - 15];
      const isInside = ((x * cos + y * sin) / 12) ** 2 + ((y * cos - x * sin) / 5) ** 2 <= 1;
      if (isInside && data[i] === 255) both++;
      if (isInside || data[i] === 255) either++;
    }
    expect(both / either).toBeGreaterThan(0.95);
  });

  it('keeps types, good images, tests, folders of images and tags apart', async () => {
    const hole = polygon.replace('"crack"', '"hole &amp; gap"');
    const content = [
      image('a.jpg', polygon + hole),
      image('b.jpg'),
      image('part/c.jpg', '', ' subset="Test"'),
      image('d.jpg', '<tag label="crack" source="manual"></tag>'),
    ].join('\n');
    const data = await writeCvat(xmlOf(content), ['a.jpg', 'b.jpg', 'Test/part/c.jpg', 'd.jpg']);
    const dataset = await Dataset.open(data);
    expect(dataset.types).toEqual(['crack', 'hole & gap']);
    expect(await dataset.goodImages('train')).toEqual([join(data, 'images', 'b.jpg')]);
    expect(await dataset.goodImages('test')).toEqual([join(data, 'images', 'Test', 'part', 'c.jpg')]);
    const out = join(root, 'imported');
    expect(await importData({ from: data, out })).toMatchObject({ format: 'cvat', good: 1, testGood: 1 });
    expect((await readMask(join(out, 'ground_truth', 'crack', 'a_mask.png'))).data).toContain(255);
  });

  const laughs = `<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>`;
  const bad: Record<string, [xml: string, ...messages: string[]]> = {
    'a file that is cut off': [xmlOf(image('a.jpg', polygon)).slice(0, -40), 'is not valid XML, it may be cut off (5:'],
    'declared entities': [xmlOf(image('a.jpg', polygon)).replace('?>', `?>${laughs}`), 'has a DOCTYPE', 'remove it'],
    'an unknown entity': [xmlOf(image('a.jpg', polygon.replace('crack', '&b;'))), 'is not valid XML', 'entity'],
    'a track of a video': [
      xmlOf(`<track id="0" label="crack">${box}</track>`),
      'line 5 has the track of a video',
      'CVAT for images 1.1',
    ],
    'a line without area': [
      xmlOf(image('a.jpg', '<polyline label="crack" points="1,1;2,2"/>')),
      'line 5, polyline in a.jpg is a polyline, which does not mark pixels',
    ],
    'a shape without a label': [
      xmlOf(image('a.jpg', polygon.replace('label', 'lab'))),
      'polygon in a.jpg has no label',
    ],
    'a label that is no folder': [
      xmlOf(image('a.jpg', polygon.replace('crack', '../crack'))),
      'cannot be a defect type',
      '../crack',
    ],
    'a polygon of two points': [xmlOf(image('a.jpg', polygon.replace(corners, '1,1;2,2'))), 'a polygon of 2 points'],
    'a point that is no number': [
      xmlOf(image('a.jpg', polygon.replace(corners, '1,1;2,x;3,3'))),
      'has the point "2,x"',
    ],
    'a box without a side': [xmlOf(image('a.jpg', box.replace('xbr', 'x'))), 'expected a number for xbr'],
    'an ellipse of endless size': [
      xmlOf(image('a.jpg', '<ellipse label="crack" cx="1" cy="1" rx="1e999" ry="1"/>')),
      'expected a number for rx but received "1e999"',
    ],
    'a polygon outside': [
      xmlOf(image('a.jpg', polygon.replace(corners, '90,1;95,1;95,9'))),
      'lies from (90, 1) to (95, 9), outside',
    ],
    'run lengths of another size': [
      xmlOf(image('a.jpg', '<mask label="crack" rle="1,2" left="0" top="0" width="2" height="2"/>')),
      'do not add up to its 2 x 2 pixels',
    ],
    'run lengths below zero': [
      xmlOf(image('a.jpg', '<mask label="crack" rle="5,-1" left="0" top="0" width="2" height="2"/>')),
      'do not add up',
    ],
    'a mask without run lengths': [
      xmlOf(image('a.jpg', '<mask label="crack" left="0" top="0" width="2" height="2"/>')),
      'do not add up',
    ],
    'a mask that is larger than its image': [
      xmlOf(image('a.jpg', '<mask label="crack" rle="0,1e10" left="0" top="0" width="100000" height="100000"/>')),
      'mask of 100000 x 100000 pixels at (0, 0) in an image of 40 x 30',
    ],
    'an image of another size': [
      xmlOf(image('a.jpg', polygon).replace('width="40"', 'width="41"')),
      '41 x 30',
      '40 x 30',
    ],
    'an image without a size': [
      xmlOf(image('a.jpg', polygon).replace('width="40"', '')),
      'line 5: the image',
      'for width',
    ],
    'an image that is missing': [xmlOf(image('z.jpg', polygon)), 'z.jpg', 'missing'],
    'a path that climbs': [xmlOf(image('../../a.jpg', polygon)), 'leads out of'],
    'an absolute path': [xmlOf(image('/etc/a.jpg', polygon)), 'expected a path relative to'],
    'an image that is listed twice': [xmlOf(image('a.jpg', polygon) + image('a.jpg')), 'is annotated twice'],
    'elements that are nested endlessly': [xmlOf('<a>'.repeat(100)), 'more than 64 nested elements'],
    'images without a defect': [xmlOf(image('a.jpg')), 'marks no defect in its 1 images'],
  };
  for (const [name, [xml, ...messages]] of Object.entries(bad)) {
    it(`is refused with ${name}`, async () => {
      const from = await writeCvat(xml);
      await expectFailure(importData({ from, out: `${from}-out` }), 'ERR_DATASET_INVALID', from, ...messages);
    });
  }

  it('is told from other XML', async () => {
    const data = await writeCvat('<annotation><filename>a.jpg</filename></annotation>');
    await expectFailure(Dataset.open(join(data, 'annotations.xml')), 'ERR_DATASET_INVALID', 'is no dataset');
    const forced = Dataset.open(data, { format: 'cvat' });
    await expectFailure(forced, 'ERR_DATASET_INVALID', 'holds no XML file of CVAT');
    const file = Dataset.open(join(data, 'annotations.xml'), { format: 'cvat' });
    await expectFailure(file, 'ERR_DATASET_INVALID', 'its outermost element is annotation');
  });
});

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { RawImage } from '../../lib/core/image.js';
import { StagedFolder } from '../../lib/core/staged-folder.js';
import { Dataset } from '../../lib/dataset/dataset.js';
import { uniqueNames } from '../../lib/dataset/formats/annotated.js';
import type { Canvas } from '../../lib/dataset/formats/canvas.js';
import { fillPolygon } from '../../lib/dataset/formats/coco-polygon.js';
import { drawPolygon } from '../../lib/dataset/formats/labelme-drawing.js';
import { TreeWriter } from '../../lib/dataset/formats/tree-writer.js';
import { fillWithBorder } from '../../lib/dataset/formats/yolo-polygon.js';
import { type ImageSource, labelOf } from '../../lib/dataset/image-source.js';
import { PairWriter } from '../../lib/dataset/pair-writer.js';
import { check } from '../../lib/jobs/check.js';
import { exportDataset } from '../../lib/jobs/export.js';
import { importData } from '../../lib/jobs/import.js';
import { BOX, boxes, boxesOf, cornersOf, photograph, SIZE, write } from '../helpers/annotated.js';
import { writeExample } from '../helpers/dataset.js';
import { scratchFolder } from '../helpers/scratch.js';

const root = scratchFolder();
let made = 0;
const folder = (name = 'data') => join(root, `${name}${made++}`);
const marked = [{ box: BOX, colour: [255, 255, 255] as const }];
const relative = (data: string, images: readonly ImageSource[]) =>
  images.map((image) => labelOf(image).slice(data.length + 1)).sort();

/** Writes a COCO dataset with a defect of each category, and the good image `good.png`. */
async function writeCoco(data: string, categories = ['crack']): Promise<string> {
  const images = [...categories.map((_, i) => `${i}.png`), 'good.png'];
  for (const [i, name] of images.entries()) await photograph(join(data, name), `#8${i}8`);
  write(join(data, 'annotations.json'), {
    categories: categories.map((name, id) => ({ id, name })),
    images: images.map((name, id) => ({ id, file_name: name, ...SIZE })),
    annotations: categories.map((_, id) => ({
      ...{ id, image_id: id, category_id: id },
      segmentation: [cornersOf(BOX)],
    })),
  });
  return data;
}

async function writePairs(path: string): Promise<void> {
  const grey = new RawImage({ data: new Uint8Array(64).fill(90), width: 8, height: 8, channels: 1 });
  await using writer = await PairWriter.open(path, { type: 'crack' });
  const mask = new RawImage({ ...grey, data: new Uint8Array(64).fill(255, 0, 5) });
  await writer.write({ index: 0, seed: 1, image: grey, part: grey, mask });
}

describe('a dataset that holds results of an earlier command', () => {
  it('is read as itself, and so is a folder of datasets', async () => {
    const data = await writeCoco(folder());
    await writePairs(join(data, 'out', 'crack', 'dataset'));
    expect(await exportDataset({ data, format: 'masks', out: folder('out') })).toMatchObject({
      ...{ images: 2, synthetic: 0 },
    });
    const several = folder();
    await writeExample(join(several, 'plate'), 'crack', '000', 40, 40, [4, 5, 12]);
    for (const type of ['crack', 'test']) await writePairs(join(several, 'out', type, 'dataset'));
    const formats = async (path: string) => (await check({ data: path })).categories.map(({ format }) => format);
    expect(await formats(data)).toEqual(['coco']);
    expect(await formats(several)).toEqual(['pairs', 'mvtec']);
    expect(await formats(join(several, 'out'))).toEqual(['pairs']);
  });
});

describe('good images', () => {
  it('of COCO train, whatever the folder of the dataset is called', async () => {
    for (const name of ['test', 'screw-test']) {
      const data = await writeCoco(join(folder(), name));
      for (const path of [data, join(data, 'annotations.json')]) {
        const dataset = await Dataset.open(path);
        expect(relative(data, await dataset.goodImages('train'))).toEqual(['good.png']);
      }
    }
  });

  it('of labelme train, whatever their files are called', async () => {
    const data = folder();
    await photograph(join(data, 'a.png'));
    const [left, top, right, bottom] = BOX;
    const points = [
      [left, top],
      [right, bottom],
    ];
    write(join(data, 'a.json'), { shapes: [{ label: 'crack', shape_type: 'rectangle', points }], imagePath: 'a.png' });
    await photograph(join(data, 'good', 'test_0001.png'));
    await photograph(join(data, 'test', 'good', '0002.png'));
    const dataset = await Dataset.open(data);
    expect(relative(data, await dataset.goodImages('train'))).toEqual(['good/test_0001.png']);
    expect(relative(data, await dataset.goodImages('test'))).toEqual(['test/good/0002.png']);
  });

  it('of YOLO without a file of labels are named', async () => {
    const data = folder();
    write(join(data, 'data.yaml'), 'names: [crack]\ntrain: images\n');
    for (const name of ['a', 'b', 'c']) await photograph(join(data, 'images', `${name}.png`));
    write(join(data, 'labels', 'a.txt'), '0 0.1 0.1 0.5 0.1 0.5 0.5\n');
    write(join(data, 'labels', 'b.txt'), '');
    const warning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const dataset = await Dataset.open(data);
    const messages = warning.mock.calls.map(([message]) => message);
    warning.mockRestore();
    expect(relative(data, await dataset.goodImages())).toEqual(['images/b.png', 'images/c.png']);
    expect(messages).toEqual([
      expect.stringContaining('are taken for good ones because they have no file of labels: images/c.png.'),
    ]);
  });
});

describe('the background', () => {
  it('of VOC is no type, however it is written in labelmap.txt', async () => {
    const data = folder();
    write(join(data, 'labelmap.txt'), 'Background:9,9,9::\ncrack:255,255,255::\n');
    await photograph(join(data, 'JPEGImages', 'a.jpg'));
    const all = { box: [0, 0, SIZE.width, SIZE.height] as const, colour: [9, 9, 9] as const };
    await boxes(join(data, 'SegmentationClass', 'a.png'), [all, ...marked]);
    expect((await Dataset.open(data)).types).toEqual(['crack']);
  });
});

describe('polygons', () => {
  const blank = (width: number, height: number): Canvas => ({ data: new Uint8Array(width * height), width, height });
  const corners = [
    [1, 1],
    [6, 1],
    [6, 4],
    [1, 4],
  ] as const;

  it.each([
    ['YOLO', (canvas: Canvas, points: [number, number][]) => fillWithBorder(canvas, points.flat(), 'it')],
    ['labelme', (canvas: Canvas, points: [number, number][]) => drawPolygon(canvas, points, 'it')],
  ])('of %s may have very many points', (_, draw) => {
    const [few, many] = [blank(9, 6), blank(9, 6)];
    draw(
      few,
      corners.map(([x, y]) => [x, y]),
    );
    draw(
      many,
      corners.flatMap(([x, y]) => Array.from({ length: 60_000 }, (): [number, number] => [x, y])),
    );
    expect(many.data).toEqual(few.data);
    expect(few.data.filter((value) => value === 255)).toHaveLength(24);
  });

  it('of COCO may have an outline that is much longer than the image is large', () => {
    const canvas = blank(6000, 4);
    // Each detour goes back on the same line, so it marks nothing.
    const detours = Array.from({ length: 1250 }, () => [6000, 0, 0, 0]).flat();
    fillPolygon(canvas, [0, 0, ...detours, 20, 0, 20, 3, 0, 3], 'it');
    const columns = [0, 1, 2, 3].map((y) => canvas.data.subarray(6000 * y, 6000 * (y + 1)).lastIndexOf(255) + 1);
    expect(columns).toEqual([20, 20, 20, 0]);
    expect(canvas.data.filter((value) => value === 255)).toHaveLength(60);
  });
});

describe('images and masks', () => {
  it.each([
    ['masks', ['crack']],
    ['anomalib', ['defect']],
  ] as const)('of an export as %s are read again', async (format, types) => {
    const [data, pairs, out] = [folder(), folder(), folder('out')];
    await writeExample(data, 'crack', '000', 20, 16, [3, 2, 6]);
    await photograph(join(data, 'train', 'good', '000.png'));
    await photograph(join(data, 'test', 'good', '001.png'));
    await writePairs(pairs);
    await exportDataset({ data, pairs, split: 'real-generated', format, out });
    const dataset = await Dataset.open(out);
    expect([dataset.format, dataset.types]).toEqual(['masks', types]);
    expect(await dataset.examples(types[0])).toHaveLength(2);
    expect(await dataset.goodImages('train')).toHaveLength(1);
    expect(await dataset.goodImages('test')).toHaveLength(1);
  });

  it('are told apart by their folders rather than by their names', async () => {
    const data = folder();
    for (const name of ['a_label', 'b_seg', 'good/c_gt']) await photograph(join(data, 'images', `${name}.png`));
    await boxes(join(data, 'masks', 'a_label.png'), marked);
    await boxes(join(data, 'masks', 'b_seg_mask.png'), marked);
    const dataset = await Dataset.open(data);
    expect(await boxesOf(dataset)).toEqual({ defect: { a_label: [...BOX], b_seg: [...BOX] } });
    expect(relative(data, await dataset.goodImages())).toEqual(['images/good/c_gt.png']);
  });

  it('may lie side by side in a folder of images', async () => {
    const data = folder();
    await photograph(join(data, 'images', 'a.png'));
    await boxes(join(data, 'images', 'a_mask.png'), marked);
    expect(await boxesOf(await Dataset.open(data))).toEqual({ defect: { a: [...BOX] } });
  });

  it('of VisA may have alpha, which marks nothing', async () => {
    const data = folder();
    for (const name of ['Normal/0', 'Anomaly/1', 'Anomaly/2']) await photograph(join(data, `Data/Images/${name}.png`));
    for (const [name, list] of [['1', marked] as const, ['2', []] as const]) {
      const file = await boxes(join(data, 'Data', 'Masks', 'Anomaly', `${name}.png`), list);
      writeFileSync(file, await sharp(readFileSync(file)).ensureAlpha().png().toBuffer());
    }
    const dataset = await Dataset.open(data);
    expect(await boxesOf(dataset)).toEqual({ anomaly: { '1': [...BOX] } });
    expect(relative(data, await dataset.goodImages())).toEqual([
      'Data/Images/Anomaly/2.png',
      'Data/Images/Normal/0.png',
    ]);
  });
});

describe('writers', () => {
  it('give files names that differ in more than upper and lower case', () => {
    expect(uniqueNames(['x/A.png', 'y/a.png', 'y/b.png'], 'data')).toEqual(['x_A', 'y_a', 'b']);
    expect(() => uniqueNames(['A.png', 'a.jpg'], 'data')).toThrow('data: A.png and a.jpg would share the name a');
  });

  it('never replace a file of a category', async () => {
    const image = await photograph(join(folder(), 'a.png'));
    const mask = new RawImage({ data: new Uint8Array(1), width: 1, height: 1, channels: 1 });
    await using staged = await StagedFolder.open(folder('out'));
    const writer = new TreeWriter(staged);
    await writer.writeGood('train', 'a', image);
    await expect(writer.writeGood('train', 'a', image)).rejects.toThrow('Cannot write');
    write(await staged.pathOf('ground_truth/crack/a_mask.png'), 'there');
    await expect(writer.writeDefect('crack', 'a', image, mask)).rejects.toThrow('Cannot write');
  });

  it('count types that are called like properties of objects', async () => {
    const types = ['constructor', '__proto__'];
    const data = await writeCoco(folder(), types);
    const [tree, out] = [folder('out'), folder('out')];
    const counted = [
      (await importData({ from: data, out: tree })).types,
      (await exportDataset({ data: tree, format: 'masks', out })).types,
    ];
    for (const one of counted) expect(Object.entries(one).sort()).toEqual(types.map((type) => [type, 1]).sort());
  });

  it('name good images inside of labelme files by their folders', async () => {
    const data = folder();
    const inside = readFileSync(await photograph(join(folder(), 'a.png'))).toString('base64');
    const [left, top, right, bottom] = BOX;
    const points = [
      [left, top],
      [right, bottom],
    ];
    const shapes = [{ label: 'crack', shape_type: 'rectangle', points }];
    for (const name of ['x/a', 'y/a', 'b']) {
      write(join(data, `${name}.json`), { shapes: name === 'b' ? shapes : [], imagePath: 'a.png', imageData: inside });
    }
    const out = folder('out');
    expect(await importData({ from: data, out })).toMatchObject({ good: 2 });
    expect(readdirSync(join(out, 'train', 'good')).sort()).toEqual(['x_a.png', 'y_a.png']);
  });

  it('move everything back if something cannot be moved to its place', async () => {
    const out = folder('out');
    await using staged = await StagedFolder.open(out);
    for (const name of ['a.txt', 'b/c.txt']) write(await staged.pathOf(name), name);
    write(join(out, 'b', 'other.txt'), 'in the way');
    await expect(staged.commit()).rejects.toThrow('Cannot write');
    expect(existsSync(join(out, 'a.txt'))).toBe(false);
    expect(existsSync(await staged.pathOf('a.txt'))).toBe(true);
  });
});

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { RawImage } from '../../lib/core/image.js';
import { Dataset } from '../../lib/dataset/dataset.js';
import { imagesOfDataset } from '../../lib/dataset/dataset-images.js';
import { writeExport } from '../../lib/dataset/formats/write-export.js';
import { readImage } from '../../lib/dataset/image-file.js';
import { readMask } from '../../lib/dataset/mask-file.js';
import { PairWriter } from '../../lib/dataset/pair-writer.js';
import { exportDataset } from '../../lib/jobs/export.js';
import type { ExportFormat } from '../../lib/options/names.js';
import { writeExample } from '../helpers/dataset.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
let made = 0;
const fresh = () => join(folder, `${made++}`);

const lines = (out: string) =>
  readFileSync(join(out, 'files.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const filesIn = (out: string) =>
  readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(out.length + 1))
    .sort();

/** A category with two types whose images have the same names, and good images in both places. */
async function writeTree(path = fresh()): Promise<string> {
  await writeExample(path, 'crack', '000', 20, 16, [3, 2, 6]);
  await writeExample(path, 'hole', '000', 24, 12, [10, 4, 5]);
  for (const place of ['train/good', 'test/good']) {
    mkdirSync(join(path, place), { recursive: true });
    await sharp({ create: { width: 10, height: 8, channels: 3, background: 'grey' } })
      .jpeg()
      .toFile(join(path, place, '000.jpg'));
  }
  return path;
}

/** A folder of pairs of one type. The pair of index 1 has an empty mask, and that of index 2 is dropped. */
async function writePairs(path = fresh(), type = 'crack'): Promise<string> {
  await using writer = await PairWriter.open(path, { type, recipe: 'noise', settings: { seed: 3 } });
  const grey = new RawImage({ data: new Uint8Array(64).fill(90), width: 8, height: 8, channels: 1 });
  const maskOf = (from: number, to: number) => new RawImage({ ...grey, data: new Uint8Array(64).fill(255, from, to) });
  const spans = [
    [8, 12],
    [0, 0],
    [0, 2],
    [61, 64],
  ] as const;
  for (const [index, [from, to]] of spans.entries()) {
    await writer.write({ index, seed: 3, image: grey, part: grey, mask: maskOf(from, to), maskMethod: 'u2net' });
  }
  await writer.drop(new Map([[2, 'disagrees']]));
  return path;
}

describe('the formats', () => {
  it('COCO has images, boxes, areas and run-length masks', async () => {
    const [data, out] = [await writeTree(), fresh()];
    const result = await exportDataset({ data, format: 'coco', out });
    expect(result).toMatchObject({ images: 4, synthetic: 0, types: { crack: 1, hole: 1 }, emptyMasks: 0 });
    const coco = JSON.parse(readFileSync(join(out, 'annotations', 'instances.json'), 'utf8'));
    expect(coco.categories.map(({ id, name }: { id: number; name: string }) => [id, name])).toEqual([
      [1, 'crack'],
      [2, 'hole'],
    ]);
    const names = ['crack_000.png', 'hole_000.png', 'train_good_000.jpg', 'test_good_000.jpg'];
    expect(coco.images.map((one: { file_name: string }) => one.file_name)).toEqual(names);
    expect(coco.annotations).toMatchObject([
      { id: 1, image_id: 1, category_id: 1, bbox: [3, 2, 6, 6], area: 36, iscrowd: 0 },
      { id: 2, image_id: 2, category_id: 2, bbox: [10, 4, 5, 5], area: 25, segmentation: { size: [12, 24] } },
    ]);
    for (const name of names) expect(existsSync(join(out, 'images', name))).toBe(true);
    // Files that any program reads in the same way are copied.
    expect(readFileSync(join(out, 'images', 'test_good_000.jpg'))).toEqual(
      readFileSync(join(data, 'test', 'good', '000.jpg')),
    );
  });

  it('YOLO has a line of polygons for each defect, and an empty file for a good image', async () => {
    const [data, out] = [await writeTree(), fresh()];
    await exportDataset({ data, format: 'yolo', out, polygonError: 0 });
    const label = (name: string) => readFileSync(join(out, 'labels', `${name}.txt`), 'utf8');
    // The corners are the middles of the pixels at the corners: 3.5 / 20, 2.5 / 16 and so on.
    const corners = '0.175000 0.156250 0.425000 0.156250 0.425000 0.468750 0.175000 0.468750';
    const places = (text: string) => text.trim().split(' ').slice(1);
    expect(label('crack_000').split(' ')[0]).toBe('0');
    expect(new Set(places(label('crack_000')))).toEqual(new Set(corners.split(' ')));
    expect(label('hole_000')).toMatch(/^1 /);
    expect(label('train_good_000')).toBe('');
    const yaml = readFileSync(join(out, 'data.yaml'), 'utf8');
    expect(yaml).toContain('names:\n  0: "crack"\n  1: "hole"\n');
    expect(yaml).toContain('train: images\nval: images\n');
  });

  it('labelme has the masks themselves', async () => {
    const [data, out] = [await writeTree(), fresh()];
    await exportDataset({ data, format: 'labelme', out });
    const file = JSON.parse(readFileSync(join(out, 'crack_000.json'), 'utf8'));
    expect(file).toMatchObject({ imagePath: 'crack_000.png', imageWidth: 20, imageHeight: 16, imageData: null });
    const [shape] = file.shapes;
    expect(shape).toMatchObject({
      label: 'crack',
      shape_type: 'mask',
      points: [
        [3, 2],
        [8, 7],
      ],
    });
    const mask = await readImage(Buffer.from(shape.mask, 'base64'));
    expect([mask.width, mask.height, new Set(mask.data)]).toEqual([6, 6, new Set([255])]);
    expect(JSON.parse(readFileSync(join(out, 'train_good_000.json'), 'utf8')).shapes).toEqual([]);
  });

  it('anomalib has folders and a datamodule', async () => {
    const [data, out] = [await writeTree(), fresh()];
    await exportDataset({ data, format: 'anomalib', out });
    expect(filesIn(out)).toEqual([
      ...['abnormal/crack_000.png', 'abnormal/hole_000.png', 'files.jsonl', 'folder.yaml'],
      ...['mask/crack_000.png', 'mask/hole_000.png', 'normal/train_good_000.jpg', 'normal_test/test_good_000.jpg'],
    ]);
    const yaml = readFileSync(join(out, 'folder.yaml'), 'utf8');
    expect(yaml).toContain('class_path: anomalib.data.Folder');
    expect(yaml).toContain('  normal_test_dir: normal_test\n  abnormal_dir: abnormal\n  mask_dir: mask\n');
    expect(await readMask(join(out, 'mask', 'hole_000.png'))).toEqual(
      await readMask(join(data, 'ground_truth', 'hole', '000_mask.png')),
    );
  });

  it('masks have one for every image', async () => {
    const [data, out] = [await writeTree(), fresh()];
    await exportDataset({ data, format: 'masks', out });
    expect(filesIn(join(out, 'masks'))).toEqual([
      ...['crack/crack_000.png', 'good/test_good_000.png', 'good/train_good_000.png', 'hole/hole_000.png'],
    ]);
    expect(new Set((await readMask(join(out, 'masks', 'good', 'test_good_000.png'))).data)).toEqual(new Set([0]));
  });
});

describe('generated pairs', () => {
  it('are marked as synthetic with their record, and leave out dropped and empty ones', async () => {
    const [data, out] = [await writePairs(), fresh()];
    const result = await exportDataset({ data, format: 'coco', out });
    expect(result).toMatchObject({ images: 2, synthetic: 2, emptyMasks: 1 });
    const records = lines(out);
    expect(records.map(({ pair }) => pair.index)).toEqual([0, 3]);
    for (const record of records) {
      expect(record).toMatchObject({
        synthetic: true,
        pair: { recipe: 'noise', synthetic: true, settings: { seed: 3 } },
      });
    }
    const coco = JSON.parse(readFileSync(join(out, 'annotations', 'instances.json'), 'utf8'));
    expect(coco.images[0]).toMatchObject({ synthetic: true, pair: { index: 0, seed: 3 } });
    expect(coco.annotations[0].attributes).toEqual({ synthetic: true });
  });

  it('are found in the folders of run, and joined to real images', async () => {
    const [data, pairs, out] = [await writeTree(), fresh(), fresh()];
    await writePairs(join(pairs, 'crack', 'dataset'));
    await writePairs(join(pairs, 'hole', 'dataset'), 'hole');
    const options = { data, pairs, out, split: 'real-generated' as const };
    const result = await exportDataset({ ...options, format: 'yolo' });
    expect(result).toMatchObject({ images: 8, synthetic: 4, types: { crack: 3, hole: 3 } });
    expect(readdirSync(join(out, 'images', 'generated')).sort()).toEqual([
      ...['generated_crack_000000.png', 'generated_crack_000003.png'],
      ...['generated_hole_000000.png', 'generated_hole_000003.png'],
    ]);
    expect(readdirSync(join(out, 'labels', 'real'))).toHaveLength(4);
    expect(readFileSync(join(out, 'data.yaml'), 'utf8')).toContain('train: images/generated\nval: images/real\n');
    expect(lines(out).filter(({ synthetic }) => synthetic)).toHaveLength(4);
    const other = fresh();
    await exportDataset({ ...options, out: other, format: 'anomalib' });
    expect(readFileSync(join(other, 'generated.yaml'), 'utf8')).toContain('abnormal_dir: abnormal/generated\n');
  });

  it('leave out the pair that a killed process was listing', async () => {
    const [data, out] = [await writePairs(), fresh()];
    const list = join(data, 'pairs.jsonl');
    writeFileSync(list, readFileSync(list, 'utf8').slice(0, -20));
    expect(await exportDataset({ data, format: 'masks', out })).toMatchObject({ images: 1 });
  });

  it('of two folders with the same names are kept apart', async () => {
    const [pairs, out] = [fresh(), fresh()];
    await writePairs(join(pairs, 'a', 'crack', 'dataset'));
    await writePairs(join(pairs, 'b', 'crack', 'dataset'));
    await exportDataset({ data: pairs, format: 'masks', out });
    expect(readdirSync(join(out, 'masks', 'crack')).sort()).toEqual([
      ...['generated_crack_000000-2.png', 'generated_crack_000000.png'],
      ...['generated_crack_000003-2.png', 'generated_crack_000003.png'],
    ]);
    expect(lines(out).map(({ source }) => source)).toContain('b/crack/dataset/test/crack/000003.png');
  });
});

describe('images that programs read differently', () => {
  it('are written anew, upright and with 8 bits', async () => {
    const [data, out] = [fresh(), fresh()];
    await writeExample(data, 'crack', '000', 20, 16, [3, 2, 6]);
    const image = join(data, 'test', 'crack', '000.png');
    const pixels = readFileSync(image);
    rmSync(image);
    // The stored picture lies on its side, and so does its mask.
    await sharp(pixels).jpeg({ quality: 100 }).withMetadata({ orientation: 6 }).toFile(image.replace('.png', '.jpg'));
    const mask = join(data, 'ground_truth', 'crack', '000_mask.png');
    writeFileSync(mask, await sharp(readFileSync(mask)).rotate(90).png().toBuffer());
    await exportDataset({ data, format: 'masks', out });
    const written = await sharp(join(out, 'images', 'crack', 'crack_000.png')).metadata();
    expect([written.width, written.height, written.orientation, written.depth]).toEqual([16, 20, undefined, 'uchar']);
    const [shown, marked] = [
      await readImage(join(out, 'images', 'crack', 'crack_000.png')),
      await readMask(join(out, 'masks', 'crack', 'crack_000.png')),
    ];
    for (let i = 0; i < marked.data.length; i++) {
      expect((shown.data[3 * i] as number) < 100).toBe(marked.data[i] === 255); // The defect is dark.
    }
  });
});

describe('an image of 16 bits', () => {
  it('is written with 8 bits, as training reads it', async () => {
    const [data, out] = [fresh(), fresh()];
    await writeExample(data, 'crack', '000', 20, 16, [3, 2, 6]);
    const image = join(data, 'test', 'crack', '000.png');
    const samples = Uint16Array.from({ length: 320 }, (_, i) => i * 204);
    await sharp(samples, { raw: { width: 20, height: 16, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toFile(image);
    expect((await sharp(image).metadata()).depth).toBe('ushort');
    await exportDataset({ data, format: 'labelme', out });
    const written = join(out, 'crack_000.png');
    expect((await sharp(written).metadata()).depth).toBe('uchar');
    expect((await readImage(written)).data).toEqual((await readImage(image)).data);
  });
});

describe('an image of several types', () => {
  it('is one image with a mask for each, or lies in the folder of each', async () => {
    const folderOfFiles = await writeTree();
    const image = join(folderOfFiles, 'test', 'crack', '000.png');
    const mask = join(folderOfFiles, 'ground_truth', 'crack', '000_mask.png');
    const one = { image, mask };
    const images = await imagesOfDataset(Dataset.from({ types: { crack: [one], dent: [one] }, good: [] }));
    expect(images).toHaveLength(1);
    const settings = { category: 'tile', split: false, polygonError: 0 };
    const [coco, masks] = [fresh(), fresh()];
    await writeExport(images, { ...settings, format: 'coco', out: coco });
    const { annotations } = JSON.parse(readFileSync(join(coco, 'annotations', 'instances.json'), 'utf8'));
    expect(annotations).toMatchObject([
      { image_id: 1, category_id: 1 },
      { image_id: 1, category_id: 2 },
    ]);
    await writeExport(images, { ...settings, format: 'masks', out: masks });
    expect(lines(masks)).toMatchObject([{ types: ['crack'] }, { types: ['dent'], mask: 'masks/dent/crack_000.png' }]);
  });
});

describe('failures', () => {
  const refuse = async (options: object, code: string, ...texts: string[]) => {
    const out = fresh();
    await expectFailure(exportDataset({ format: 'coco', out, ...options } as never), code, ...texts);
    expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
  };

  it('leave nothing behind', async () => {
    const data = await writeTree();
    const mask = join(data, 'ground_truth', 'hole', '000_mask.png');
    rmSync(mask);
    for (const format of ['coco', 'yolo', 'labelme', 'anomalib', 'masks'] satisfies ExportFormat[]) {
      await refuse({ data, format }, 'ERR_DATASET_INVALID', 'has no mask: expected', mask);
    }
    writeFileSync(mask, 'no image');
    await refuse({ data }, 'ERR_DATASET_INVALID', mask, 'not a readable image');
    const image = join(data, 'test', 'hole', '000.png');
    writeFileSync(image, readFileSync(image).subarray(0, 60));
    await refuse({ data }, 'ERR_DATASET_INVALID', image);
  });

  it('are those of wrong options and folders', async () => {
    const data = await writeTree();
    await refuse({ data, polygonError: 1 }, 'ERR_INVALID_OPTION', 'polygonError');
    await refuse({ data, split: 'real-generated' }, 'ERR_DATASET_INVALID', 'only real ones');
    await refuse({ data, pairs: data }, 'ERR_DATASET_INVALID', 'holds no generated pairs');
    await refuse({ data: join(folder, 'missing') }, 'ERR_DATASET_INVALID', 'does not exist');
    await refuse({ data: await writePairs(), format: 'anomalib' }, 'ERR_DATASET_INVALID', 'no good images');
  });

  it('are files in the way, which stay as they are', async () => {
    const [data, out] = [await writeTree(), fresh()];
    mkdirSync(out);
    writeFileSync(join(out, 'mine.txt'), 'mine');
    await expectFailure(exportDataset({ data, format: 'coco', out }), 'ERR_FILE_ACCESS', out, 'mine.txt');
    expect(filesIn(out)).toEqual(['mine.txt']);
  });

  it('are pairs without masks, and records that lead elsewhere', async () => {
    const data = await writePairs();
    const list = join(data, 'pairs.jsonl');
    const text = readFileSync(list, 'utf8');
    const [first] = text.split('\n') as [string];
    const { mask: _, ...record } = JSON.parse(first);
    writeFileSync(list, `${JSON.stringify(record)}\n`);
    await refuse({ data }, 'ERR_DATASET_INVALID', 'Pair 0', 'has no mask');
    writeFileSync(list, first.replaceAll('test/crack', 'test/../../crack'));
    await refuse({ data }, 'ERR_FILE_ACCESS', 'line 1');
    const climbing = { ...JSON.parse(first), type: '../..' };
    for (const [kind, place] of Object.entries({ image: 'test', part: 'part', mask: 'ground_truth' })) {
      climbing[kind] = `${place}/../../000000${kind === 'mask' ? '_mask' : ''}.png`;
    }
    writeFileSync(list, `${JSON.stringify(climbing)}\n`);
    await refuse({ data }, 'ERR_DATASET_INVALID', 'Pair 0', 'type that is not valid');
  });

  it('are aborts, which leave nothing behind', async () => {
    const [data, out, abort] = [await writeTree(), fresh(), new AbortController()];
    abort.abort(new Error('enough'));
    await expectFailure(exportDataset({ data, format: 'yolo', out }, { signal: abort.signal }), 'ERR_ABORTED');
    expect(existsSync(out)).toBe(false);
  });

  it('of a killed process are removed by the next export', async () => {
    const [data, out] = [await writeTree(), fresh()];
    mkdirSync(join(out, '.partial-1-abcd', 'images'), { recursive: true });
    await exportDataset({ data, format: 'masks', out });
    expect(readdirSync(out).sort()).toEqual(['files.jsonl', 'images', 'masks']);
  });
});

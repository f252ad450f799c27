import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { lockFolder } from '../../lib/core/write-lock.js';
import { Dataset } from '../../lib/dataset/dataset.js';
import { imagesOfDataset } from '../../lib/dataset/dataset-images.js';
import { check } from '../../lib/jobs/check.js';
import { exportDataset } from '../../lib/jobs/export.js';
import { importData } from '../../lib/jobs/import.js';
import { BOX, boxesOf, photograph, SIZE, write } from '../helpers/annotated.js';
import { writeExample } from '../helpers/dataset.js';
import { scratchFolder } from '../helpers/scratch.js';

const root = scratchFolder();
let made = 0;
const folder = (name = 'data') => join(root, `${name}${made++}`);
const files = (path: string) =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();

const [left, top, right, bottom] = BOX;
const rectangle = (label: string) => ({
  ...{ label, shape_type: 'rectangle' },
  points: [
    [left, top],
    [right - 1, bottom - 1],
  ],
});
const labelme = (labels: readonly string[], imagePath: string, more = {}) => ({
  ...{ shapes: labels.map(rectangle), imagePath, imageData: null },
  ...{ imageHeight: SIZE.height, imageWidth: SIZE.width, ...more },
});

/** Two images of defects, one of them inside of its file, and two good ones of the same name. */
async function writeData(): Promise<string> {
  const data = folder();
  await photograph(join(data, 'a.jpg'));
  write(join(data, 'a.json'), labelme(['crack', 'hole'], 'a.jpg'));
  const inside = readFileSync(await photograph(join(root, 'inside.jpg'), '#357'));
  write(join(data, 'b.json'), labelme(['crack'], 'b.jpg', { imageData: inside.toString('base64') }));
  await photograph(join(data, 'good', 'c.png'), '#aaa');
  await photograph(join(data, 'test', 'good', 'c.png'), '#bbb');
  return data;
}

describe('import', () => {
  it('writes a category with a mask for each type, and copies the images', async () => {
    const data = await writeData();
    const out = folder('out');
    const done: number[] = [];
    const result = await importData(
      { from: data, out },
      { onEvent: (event) => event.event === 'progress' && done.push(event.done) },
    );
    expect(result).toEqual({ out, format: 'labelme', types: { crack: 2, hole: 1 }, good: 1, testGood: 1 });
    expect(done).toEqual([1, 2, 3, 4]);
    expect(files(out)).toEqual([
      ...['ground_truth/crack/a_mask.png', 'ground_truth/crack/b_mask.png', 'ground_truth/hole/a_mask.png'],
      ...[
        'test/crack/a.jpg',
        'test/crack/b.jpg',
        'test/good/test_good_c.png',
        'test/hole/a.jpg',
        'train/good/good_c.png',
      ],
    ]);
    expect(readFileSync(join(out, 'test/crack/a.jpg'))).toEqual(readFileSync(join(data, 'a.jpg')));
    expect(readFileSync(join(out, 'test/crack/b.jpg'))).toEqual(readFileSync(join(root, 'inside.jpg')));
    const dataset = await Dataset.open(out);
    expect(dataset.format).toBe('mvtec');
    expect(await boxesOf(dataset)).toEqual(await boxesOf(await Dataset.open(data)));
    expect(readdirSync(root).filter((name) => name.includes('partial') || name.includes('lock'))).toEqual([]);
  });

  it('writes an image of several types once for each, which an export makes one image again', async () => {
    const out = folder('out');
    await importData({ from: await writeData(), out });
    const exported = folder('out');
    const result = await exportDataset({ data: out, format: 'coco', out: exported });
    expect(result).toMatchObject({ images: 4, types: { crack: 2, hole: 1 } });
    const { images, annotations } = JSON.parse(readFileSync(join(exported, 'annotations/instances.json'), 'utf8'));
    const [both] = images.filter(({ file_name }: { file_name: string }) => file_name.endsWith('a.jpg'));
    const ofBoth = annotations.filter(({ image_id }: { image_id: number }) => image_id === both.id);
    expect(new Set(ofBoth.map(({ category_id }: { category_id: number }) => category_id)).size).toBe(2);
    // Other images of the same name stay apart.
    writeFileSync(join(out, 'test/hole/a.jpg'), readFileSync(join(out, 'test/crack/b.jpg')));
    expect(await imagesOfDataset(await Dataset.open(out))).toHaveLength(5);
  });

  it.each(['coco', 'yolo', 'labelme', 'anomalib', 'masks'] as const)(
    'keeps good images for tests through an export as %s',
    async (format) => {
      const [data, exported, out] = [folder(), folder('out'), folder('out')];
      await writeExample(data, 'crack', '000', 20, 16, [3, 2, 6]);
      for (const [place, colour] of [
        ['train', '#111'],
        ['test', '#222'],
      ] as const) {
        for (const name of ['000', '001']) await photograph(join(data, place, 'good', `${name}.png`), colour);
      }
      await exportDataset({ data, format, out: exported });
      const copies = async () => {
        const images = (await imagesOfDataset(await Dataset.open(exported))).filter(({ group }) => group === 'good');
        return images.map(({ origin, name }) => `${origin} ${name}`).sort();
      };
      expect(await copies()).toEqual([
        'test test_good_000',
        'test test_good_001',
        'train train_good_000',
        'train train_good_001',
      ]);
      expect(await importData({ from: exported, out })).toMatchObject({ good: 2, testGood: 2 });
      for (const place of ['train', 'test']) {
        expect(readFileSync(join(out, place, 'good', `${place}_good_001.png`))).toEqual(
          readFileSync(join(data, place, 'good', '001.png')),
        );
      }
      const list = readFileSync(join(exported, 'files.jsonl'), 'utf8');
      writeFileSync(join(exported, 'files.jsonl'), `{\n${list}`);
      await expect(copies()).rejects.toThrow('files.jsonl: line 1 is not valid JSON');
      const [checked] = (await check({ data: exported })).categories;
      expect(checked?.problems).toMatchObject([{ code: 'ERR_FILE_ACCESS' }]);
      // The entries of these formats say it themselves, so that they do not need the list.
      rmSync(join(exported, 'files.jsonl'));
      const isTold = format !== 'yolo' && format !== 'masks';
      expect((await copies()).filter((one) => one.startsWith('test'))).toHaveLength(isTold ? 2 : 0);
    },
  );

  it('turns masks with their images', async () => {
    const data = folder();
    const { height: width, width: height } = SIZE;
    const file = join(data, 'a.jpg');
    await photograph(file); // Only its folder is needed.
    // Viewers turn this image, so that it is as large as its annotation says.
    await sharp({ create: { width, height, channels: 3, background: '#888' } })
      .withMetadata({ orientation: 6 })
      .toFile(file);
    write(join(data, 'a.json'), labelme(['crack'], 'a.jpg'));
    const out = folder('out');
    await importData({ from: data, out });
    expect(await boxesOf(await Dataset.open(out))).toEqual({ crack: { a: [...BOX] } });
  });

  it('writes nothing if one image cannot be used', async () => {
    const data = await writeData();
    write(join(data, 'z.json'), labelme(['crack'], 'a.jpg', { imageData: 'AAAA' }));
    const out = folder('out');
    await expect(importData({ from: data, out })).rejects.toThrow('z.json is not a readable image');
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(root).filter((name) => name.includes('partial') || name.includes('lock'))).toEqual([]);
  });

  it('writes nothing if it is aborted, and what a killed import left is removed', async () => {
    const data = await writeData();
    const out = folder('out');
    const left = join(out, '.partial-123-abc');
    write(join(left, 'test', 'crack', 'a.jpg'), 'half');
    const controller = new AbortController();
    const work = importData({ from: data, out }, { signal: controller.signal, onEvent: () => controller.abort() });
    await expect(work).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(existsSync(left)).toBe(false);
    expect(files(out)).toEqual([]);
  });

  it('refuses a folder that holds files, and one that is written at the same time', async () => {
    const data = await writeData();
    const out = folder('out');
    mkdirSync(out); // An empty folder is not in the way.
    {
      await using _lock = await lockFolder(out);
      await expect(importData({ from: data, out })).rejects.toMatchObject({ code: 'ERR_BUSY' });
    }
    await importData({ from: data, out });
    const before = files(out);
    await expect(importData({ from: data, out })).rejects.toThrow(`Cannot write to ${out}: it holds `);
    await expect(importData({ from: data, out: join(data, 'a.json') })).rejects.toThrow('Cannot create');
    expect(files(out)).toEqual(before);
  });

  it('takes a format by its name', async () => {
    const data = await writeData();
    const work = importData({ from: data, format: 'coco', out: folder('out') });
    await expect(work).rejects.toThrow('holds no COCO file');
    const unknown = importData({ from: data, format: 'xml' as never, out: folder('out') });
    await expect(unknown).rejects.toThrow('Expected one of mvtec, btad, ');
  });
});

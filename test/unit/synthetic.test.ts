import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { RawImage } from '../../lib/core/image.js';
import { Dataset } from '../../lib/dataset/dataset.js';
import { PairWriter } from '../../lib/dataset/pair-writer.js';
import { exportDataset } from '../../lib/jobs/export.js';
import { importData } from '../../lib/jobs/import.js';
import type { ExportFormat } from '../../lib/options/names.js';
import { boxesOf } from '../helpers/annotated.js';
import { writeExample } from '../helpers/dataset.js';
import { scratchFolder } from '../helpers/scratch.js';

const root = scratchFolder();
let made = 0;
const fresh = () => join(root, `${made++}`);
const size = { width: 20, height: 16 };

/** Writes a category with one real defect and one good photograph, and one generated pair of the same size. */
async function writeData(): Promise<{ data: string; pairs: string }> {
  const [data, pairs] = [fresh(), fresh()];
  await writeExample(data, 'crack', '000', size.width, size.height, [3, 2, 6]);
  const good = await sharp({ create: { ...size, channels: 3, background: 'grey' } })
    .png()
    .toBuffer();
  mkdirSync(join(data, 'train', 'good'), { recursive: true });
  writeFileSync(join(data, 'train', 'good', '000.png'), good);
  await using writer = await PairWriter.open(pairs, { type: 'crack', recipe: 'noise', settings: { steps: 50 } });
  const image = new RawImage({ data: new Uint8Array(320).fill(90), ...size, channels: 1 });
  const mask = new RawImage({ ...image, data: new Uint8Array(320).fill(255, 64, 70) });
  await writer.write({ index: 4, seed: 9, image, part: image, mask, maskMethod: 'u2net' });
  return { data, pairs };
}

const listOf = (out: string) =>
  readFileSync(join(out, 'files.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Exports real and generated images, imports the result, and exports it again. Returns the lists of the last two. */
async function roundTrip(format: ExportFormat, from = (out: string) => out) {
  const exported = fresh();
  await exportDataset({ ...(await writeData()), format, out: exported });
  const imported = fresh();
  const result = await importData({ from: from(exported), out: imported });
  const again = fresh();
  await exportDataset({ data: imported, format: 'coco', out: again });
  return { result, imported, first: listOf(imported), again: listOf(again) };
}

const record = { synthetic: true, pair: { index: 4, seed: 9, recipe: 'noise', settings: { steps: 50 } } };

describe('images that were generated', () => {
  for (const format of ['coco', 'labelme', 'yolo', 'anomalib', 'masks'] as const) {
    it(`stay marked when an export as ${format} is imported, and exported again`, async () => {
      const { result, first, again } = await roundTrip(format);
      expect(result).toMatchObject({ good: 1, synthetic: 1 });
      expect(first).toMatchObject([
        { image: expect.stringMatching(/^test\/.*generated_crack_000004.*\.png$/), ...record },
      ]);
      expect(again.map(({ synthetic }) => synthetic).sort()).toEqual([false, false, true]);
      expect(again.find(({ synthetic }) => synthetic)).toMatchObject(record);
    });
  }

  it('stay marked when only the files of COCO or labelme are kept', async () => {
    for (const format of ['coco', 'labelme'] as const) {
      const { result, first } = await roundTrip(format, (out) => {
        rmSync(join(out, 'files.jsonl'));
        return out;
      });
      expect(result.synthetic).toBe(1);
      expect(first).toMatchObject([record]);
    }
  });

  it('keep their masks bit for bit through COCO', async () => {
    const { imported } = await roundTrip('coco');
    const boxes = await boxesOf(await Dataset.open(imported));
    expect(boxes).toEqual({ crack: { crack_000: [3, 2, 9, 8], generated_crack_000004: [4, 3, 10, 4] } });
  });

  it('are told from real ones by split after an import', async () => {
    const { imported } = await roundTrip('coco');
    const out = fresh();
    const result = await exportDataset({ data: imported, format: 'yolo', out, split: 'real-generated' });
    expect(result).toMatchObject({ images: 3, synthetic: 1 });
    expect(listOf(out).filter(({ image }) => image.startsWith('images/generated/'))).toMatchObject([record]);
  });

  it('stay marked when a folder of pairs is imported', async () => {
    const { pairs } = await writeData();
    const imported = fresh();
    expect(await importData({ from: pairs, out: imported })).toMatchObject({ format: 'mvtec', synthetic: 1 });
    expect(listOf(imported)).toMatchObject([{ image: 'test/crack/000004.png', types: ['crack'], ...record }]);
  });

  it('are none where another program lists other things in a file of the same name', async () => {
    const { data } = await writeData();
    writeFileSync(join(data, 'files.jsonl'), '{"path":"a.png","bytes":4}\n{"image":3,"synthetic":true}\n');
    const result = await importData({ from: data, out: fresh() });
    expect(result.synthetic).toBeUndefined();
    writeFileSync(join(data, 'files.jsonl'), 'no JSON\n{}\n');
    await expect(importData({ from: data, out: fresh() })).rejects.toThrow('files.jsonl: line 1 is not valid JSON');
  });
});

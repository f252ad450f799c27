import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { checkScreen } from '../../lib/cli/check-screen.js';
import { RawImage } from '../../lib/core/image.js';
import { Dataset } from '../../lib/dataset/dataset.js';
import { PairWriter } from '../../lib/dataset/pair-writer.js';
import { splitOf } from '../../lib/evaluate/split.js';
import { check } from '../../lib/jobs/check.js';
import { exportDataset } from '../../lib/jobs/export.js';
import { importData } from '../../lib/jobs/import.js';
import type { ExportFormat } from '../../lib/options/names.js';
import { boxesOf } from '../helpers/annotated.js';
import { writeExample } from '../helpers/dataset.js';
import { warningsOf } from '../helpers/failures.js';
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

  it('are none where another program lists other things in a file of the same name, which a warning names', async () => {
    for (const list of ['{"path":"a.png","bytes":4}\n{"image":3,"synthetic":true}\n', 'no JSON\n{}\n', '\n']) {
      const { data } = await writeData();
      writeFileSync(join(data, 'files.jsonl'), list);
      const warnings = await warningsOf(async () => {
        const result = await importData({ from: data, out: fresh() });
        expect(result.synthetic).toBeUndefined();
      });
      expect(warnings).toEqual([
        `${join(data, 'files.jsonl')} is not a list of dataset files that this program wrote, so it is not read`,
      ]);
    }
  });

  it('cannot be told where a line of our own list is damaged', async () => {
    const { imported } = await roundTrip('coco');
    const list = join(imported, 'files.jsonl');
    writeFileSync(list, `no JSON\n${readFileSync(list, 'utf8')}`);
    await expect(importData({ from: imported, out: fresh() })).rejects.toThrow('files.jsonl: line 1 is not valid JSON');
  });

  it('are counted by check, and an evaluation does not test on them', async () => {
    const exported = fresh();
    const { data, pairs } = await writeData();
    await writeExample(data, 'crack', '001', size.width, size.height, [1, 1, 5]);
    await writeExample(data, 'crack', '002', size.width, size.height, [9, 5, 5]);
    await exportDataset({ data, pairs, format: 'coco', out: exported });
    const imported = fresh();
    await importData({ from: exported, out: imported });
    await writeExample(imported, 'good', '001', size.width, size.height, [0, 0, 1]);
    const { categories } = await check({ data: imported });
    expect(categories[0]).toMatchObject({ synthetic: 1 });
    expect(checkScreen(await check({ data: imported }))).toContain('evaluate does not test on them: 1');
    const split = await splitOf(await Dataset.open(imported), { trainImages: 1 });
    expect(split.testing.get('crack')?.map(({ name }) => name)).toEqual(['crack_001', 'crack_002']);
    expect(split.synthetic).toBe(1);
    for (const name of ['crack_001', 'crack_002']) rmSync(join(imported, 'test', 'crack', `${name}.png`));
    await expect(splitOf(await Dataset.open(imported), { trainImages: 1 })).rejects.toThrow(
      'has no real images of crack to test on: all that are left for the test are generated',
    );
  });
});

/** Turns annotated photographs of any format into a category folder. */
import { resolve } from 'node:path';
import { AbortedError } from '../core/errors.js';
import { StagedFolder } from '../core/staged-folder.js';
import type { Purpose } from '../dataset/contents.js';
import { Dataset, type Example } from '../dataset/dataset.js';
import { emptyMask, readMaskIn } from '../dataset/example-file.js';
import { fewAtOnce } from '../dataset/few-at-once.js';
import { uniqueNames } from '../dataset/formats/annotated.js';
import { pathBelow } from '../dataset/formats/files.js';
import { TreeWriter } from '../dataset/formats/tree-writer.js';
import { scanImage } from '../dataset/image-scan.js';
import type { ImageSource } from '../dataset/image-source.js';
import { checkOptions, given } from '../options/check.js';
import type { ImportJobOptions } from '../options/generated.js';
import { importSchema } from '../options/jobs.js';
import type { DataFormat } from '../options/names.js';
import type { JobContext } from './job.js';

/** Holds the result of an import. */
export interface ImportResult {
  out: string;
  format: DataFormat;
  /** These are the numbers of images by defect type. */
  types: Record<string, number>;
  /** These are the numbers of images without a defect, for training and for tests. */
  good: number;
  testGood: number;
}

/** Holds an image, which is decoded once, and everything that is written of it. */
interface Entry {
  image: ImageSource;
  defects: { type: string; example: Example }[];
  good?: { purpose: Purpose; name: string };
}

/** Lists the images with all of their defects. Each good one gets a name. */
async function entriesOf(dataset: Dataset): Promise<Entry[]> {
  const entries = new Map<ImageSource, Entry>();
  for (const type of dataset.types) {
    for (const example of await dataset.examples(type)) {
      const { image } = example;
      const entry = entries.get(image) ?? { image, defects: [] };
      entry.defects.push({ type, example });
      entries.set(image, entry);
    }
  }
  const good: { image: ImageSource; purpose: Purpose }[] = [];
  for (const purpose of ['train', 'test'] as const) {
    for (const image of await dataset.goodImages(purpose)) good.push({ image, purpose });
  }
  const root = dataset.folder ?? '';
  const pathOf = (image: ImageSource) =>
    pathBelow(root, typeof image === 'string' ? image : (image.file ?? image.stem));
  const names = uniqueNames(good.map(({ image }) => pathOf(image)));
  const goodEntries = good.map(({ image, purpose }, i) => ({
    ...{ image, defects: [], good: { purpose, name: names[i] as string } },
  }));
  return [...entries.values(), ...goodEntries];
}

/** Checks an image with its masks, and writes it. Throws ERR_DATASET_INVALID with the image or mask. */
async function writeEntry(writer: TreeWriter, { image, defects, good }: Entry): Promise<void> {
  const { stored } = await scanImage(image);
  for (const { type, example } of defects) {
    const mask = await readMaskIn(stored, example.mask);
    if (!mask.data.includes(255)) throw emptyMask(example.mask);
    await writer.writeDefect(type, example.name, image, mask);
  }
  if (good) await writer.writeGood(good.purpose, good.name, image);
}

/**
 * Reads annotated photographs and writes them to `out` as a category in MVTec AD's layout, completely or not at all. An
 * image with defects of several types is written once for each of them, with its own mask. Images are copied as they
 * are.
 *
 * Throws ERR_DATASET_INVALID with the file and the entry that cannot be used, ERR_FILE_ACCESS if `out` holds files
 * already, and ERR_BUSY.
 */
export async function importData(options: ImportJobOptions, context: JobContext = {}): Promise<ImportResult> {
  const { from, format, out } = checkOptions(importSchema, options);
  const { signal, onEvent } = context;
  const dataset = await Dataset.open(from, given({ format }));
  const entries = await entriesOf(dataset);
  await using folder = await StagedFolder.open(out);
  const writer = new TreeWriter(folder);
  let done = 0;
  await fewAtOnce(entries, async (entry) => {
    await writeEntry(writer, entry);
    if (signal?.aborted) throw new AbortedError({ cause: signal.reason });
    onEvent?.({ event: 'progress', stage: 'import', unit: 'images', done: ++done, total: entries.length });
  });
  await folder.commit();
  const types = new Map<string, number>();
  for (const { type } of entries.flatMap(({ defects }) => defects)) types.set(type, (types.get(type) ?? 0) + 1);
  const goodOf = (purpose: Purpose) => entries.filter(({ good }) => good?.purpose === purpose).length;
  return {
    ...{ out: resolve(out), format: dataset.format as DataFormat, types: Object.fromEntries(types) },
    ...{ good: goodOf('train'), testGood: goodOf('test') },
  };
}

/** Turns annotated photographs of any format into a category folder. */
import { resolve } from 'node:path';
import { AbortedError } from '../core/errors.js';
import { fewAtOnce } from '../core/few-at-once.js';
import { jsonLines } from '../core/json-files.js';
import { StagedFolder } from '../core/staged-folder.js';
import { Dataset } from '../dataset/dataset.js';
import { type DatasetImage, imagesOfDataset } from '../dataset/dataset-images.js';
import { emptyMask, readMaskIn } from '../dataset/example-file.js';
import { FILE_LIST } from '../dataset/file-records.js';
import { uniqueNames } from '../dataset/formats/annotated.js';
import { writeStaged } from '../dataset/formats/format-writer.js';
import { TreeWriter } from '../dataset/formats/tree-writer.js';
import { scanImage } from '../dataset/image-scan.js';
import { turnedSize } from '../dataset/orientation.js';
import type { PairRecord } from '../dataset/pair-record.js';
import { recordAfterReview } from '../dataset/reviewed-pairs.js';
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
  /** This is the number of images that were generated. It is absent if there are none. */
  synthetic?: number;
}

/** An image, and the names of the files that are written of it. */
interface Entry {
  image: DatasetImage;
  name: string;
}

/** Names the files of images. Good images of different folders may have the same name, so their folders become part of it. */
function entriesOf(images: readonly DatasetImage[], label: string): Entry[] {
  const good = images.filter(({ defects }) => defects.length === 0);
  const unique = uniqueNames(
    good.map(({ source }) => source),
    label,
  );
  const names = new Map(unique.map((name, i) => [good[i] as DatasetImage, name]));
  return images.map((image) => ({ image, name: names.get(image) ?? image.name }));
}

/**
 * Checks an image with its masks, and writes it. Returns the lines of a list of synthetic images about its files. Throws
 * ERR_DATASET_INVALID with the image or mask.
 */
async function writeEntry(writer: TreeWriter, { image: entry, name }: Entry): Promise<string> {
  const { image, defects, origin, source, record, review } = entry;
  const { stored } = await scanImage(image);
  const files = [];
  for (const { type, mask: from } of defects) {
    const mask = await readMaskIn(stored, from);
    if (!mask.data.includes(255)) throw emptyMask(from);
    files.push(await writer.writeDefect(type, name, image, mask));
  }
  if (defects.length === 0) files.push(await writer.writeGood(origin === 'test' ? 'test' : 'train', name, image));
  if (!record) return '';
  const { pair } = record;
  const size = turnedSize(stored, stored.orientation);
  const reviewed = pair && review && { pair: recordAfterReview(pair as PairRecord, review, size) };
  return jsonLines(files.map((one) => ({ ...one, ...record, ...reviewed, source })));
}

/**
 * Reads annotated photographs and writes them to `out` as a category in MVTec AD's layout, completely or not at all. An
 * image with defects of several types is written once for each of them, with its own mask. Images are copied as they
 * are. The records of generated images stand in `files.jsonl`.
 *
 * Throws ERR_DATASET_INVALID with the file and the entry that cannot be used, ERR_FILE_ACCESS if `out` holds files
 * already, and ERR_BUSY.
 */
export async function importData(options: ImportJobOptions, context: JobContext = {}): Promise<ImportResult> {
  const { from, format, out } = checkOptions(importSchema, options);
  const { signal, onEvent } = context;
  const dataset = await Dataset.open(from, given({ format }));
  const images = await imagesOfDataset(dataset);
  const entries = entriesOf(images, dataset.label);
  await using folder = await StagedFolder.open(out);
  const writer = new TreeWriter(folder);
  let done = 0;
  const lists = await fewAtOnce(entries, async (entry) => {
    const lines = await writeEntry(writer, entry);
    if (signal?.aborted) throw new AbortedError({ cause: signal.reason });
    onEvent?.({ event: 'progress', stage: 'import', unit: 'images', done: ++done, total: entries.length });
    return lines;
  });
  const list = lists.join('');
  if (list !== '') await writeStaged(folder, FILE_LIST, list);
  await folder.commit();
  const types = new Map<string, number>();
  for (const { type } of images.flatMap(({ defects }) => defects)) types.set(type, (types.get(type) ?? 0) + 1);
  const good = images.filter(({ defects }) => defects.length === 0);
  const synthetic = images.filter(({ record }) => record).length;
  const testGood = good.filter(({ origin }) => origin === 'test').length;
  return {
    ...{ out: resolve(out), format: dataset.format as DataFormat, types: Object.fromEntries(types) },
    ...{ good: good.length - testGood, testGood },
    ...(synthetic > 0 && { synthetic }),
  };
}

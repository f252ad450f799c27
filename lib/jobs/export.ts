/** Writes real images and generated pairs in the format of another tool. */
import { DatasetError, InvalidOptionError } from '../core/errors.js';
import { Dataset } from '../dataset/dataset.js';
import {
  categoryOf,
  type DatasetImage,
  holdsPairs,
  imagesOfDataset,
  imagesOfPairs,
} from '../dataset/dataset-images.js';
import { FILE_LIST } from '../dataset/file-records.js';
import { type ExportCounts, writeExport } from '../dataset/formats/write-export.js';
import { checkOptions } from '../options/check.js';
import { exportSchema } from '../options/export.js';
import type { ExportJobOptions } from '../options/generated.js';
import type { ExportFormat } from '../options/names.js';
import { throwIfAborted } from '../run-native.js';
import { type JobContext, warnOf } from './job.js';

/** Holds the result of an export. */
export interface ExportResult extends ExportCounts {
  out: string;
  format: ExportFormat;
  /** This file has a line for each image, which says where the image comes from and whether it is synthetic. */
  files: string;
}

async function imagesOf(path: string): Promise<{ category: string; images: DatasetImage[] }> {
  if (await holdsPairs(path)) return { category: categoryOf(path), images: await imagesOfPairs(path) };
  const dataset = await Dataset.open(path);
  return { category: dataset.category, images: await imagesOfDataset(dataset) };
}

/**
 * Writes the images of a category folder or of a folder of generated pairs, or of both, in the format of another tool.
 * Pairs that were dropped are left out, and so are those with an empty mask. The folder `out` appears whole or not at
 * all.
 *
 * Throws ERR_DATASET_INVALID with the file that cannot be used, ERR_INVALID_OPTION, ERR_FILE_ACCESS if `out` holds
 * files, and ERR_BUSY.
 */
export async function exportDataset(options: ExportJobOptions, context: JobContext = {}): Promise<ExportResult> {
  const { data, pairs, format, out, split, polygonError } = checkOptions(exportSchema, options);
  const { signal, onEvent } = context;
  if (options.polygonError !== undefined && format !== 'yolo') {
    throw new InvalidOptionError(`The format ${format} stores masks, so it does not use polygonError: leave it out`);
  }
  const { category, images } = await imagesOf(data);
  if (pairs !== undefined) images.push(...(await imagesOfPairs(pairs)));
  if (images.length === 0) throw new DatasetError(`${data} holds no images`);
  const settings = { format, category, out, split: split !== undefined, polygonError };
  const counts = await writeExport(images, settings, (done) => {
    throwIfAborted(signal);
    onEvent?.({ event: 'progress', stage: 'export', unit: 'images', done, total: images.length });
  });
  if (counts.emptyMasks > 0) {
    warnOf(`${counts.emptyMasks} of ${images.length} images are left out, because their masks are empty`, context);
  }
  return { out, format, files: `${out}/${FILE_LIST}`, ...counts };
}

/** Writes images and masks in the format of another tool. */
import { setImmediate } from 'node:timers/promises';
import { DatasetError } from '../../core/errors.js';
import { AT_ONCE, fewAtOnce } from '../../core/few-at-once.js';
import { StagedFolder } from '../../core/staged-folder.js';
import type { ExportFormat } from '../../options/names.js';
import type { DatasetImage } from '../dataset-images.js';
import { FILE_LIST } from '../file-records.js';
import { openAnomalib } from './anomalib-writer.js';
import { openCoco } from './coco-writer.js';
import { fileNamesOf } from './file-names.js';
import type { ExportPlan, FormatWriter, WrittenImage } from './format-writer.js';
import { openLabelme } from './labelme-writer.js';
import { type ExportSet, type LoadedImage, loadExported } from './loaded-image.js';
import { openMasks } from './masks-writer.js';
import { TextFile } from './text-file.js';
import { openYolo } from './yolo-writer.js';

const WRITERS: Record<ExportFormat, (plan: ExportPlan) => FormatWriter | Promise<FormatWriter>> = {
  coco: openCoco as (plan: ExportPlan) => Promise<FormatWriter>,
  yolo: openYolo,
  labelme: openLabelme,
  anomalib: openAnomalib,
  masks: openMasks,
};

/** The settings of an export. */
export interface ExportSettings {
  format: ExportFormat;
  category: string;
  out: string;
  /** True to keep real and generated images apart. */
  split: boolean;
  polygonError: number;
}

/** What an export has written. */
export interface ExportCounts {
  images: number;
  synthetic: number;
  /** The number of images of each defect type. */
  types: Record<string, number>;
  /** The number of generated pairs that were left out because their masks are empty. */
  emptyMasks: number;
}

const setOf = ({ record }: DatasetImage, split: boolean): ExportSet => (split ? (record ? 'generated' : 'real') : '');

function planOf(images: readonly DatasetImage[], folder: StagedFolder, settings: ExportSettings): ExportPlan {
  const { category, split, polygonError } = settings;
  const types = [...new Set(images.flatMap(({ defects }) => defects.map(({ type }) => type)))].sort();
  const sets = [...new Set(images.map((image) => setOf(image, split)))].sort();
  if (split && sets.length < 2) {
    throw new DatasetError(
      `Expected real and generated images for split but received only ${sets[0]} ones: give the real ones as data, and the folder of pairs as pairs`,
    );
  }
  const isGood = (test: boolean) => images.some((one) => one.defects.length === 0 && (one.origin === 'test') === test);
  const hasGood = { train: isGood(false), test: isGood(true) };
  return { folder, category, types, sets, polygonError, hasGood };
}

/** Returns the lines about the files of an image. */
function linesOf({ defects, provenance }: LoadedImage, { files }: WrittenImage<unknown>): string {
  const all = defects.map(({ type }) => type);
  return files.map((one) => `${JSON.stringify({ types: all, ...one, ...provenance })}\n`).join('');
}

/**
 * Writes images and their masks to `out`, whole or not at all. A few images are in memory at a time. `onImage` is called
 * after each image and may throw to end the work.
 *
 * Throws ERR_DATASET_INVALID with the file that cannot be used, ERR_FILE_ACCESS if `out` holds files, and ERR_BUSY.
 */
export async function writeExport(
  images: readonly DatasetImage[],
  settings: ExportSettings,
  onImage: (done: number) => void = () => {},
): Promise<ExportCounts> {
  await using folder = await StagedFolder.open(settings.out);
  const plan = planOf(images, folder, settings);
  const writer = await WRITERS[settings.format](plan);
  await using _open = { [Symbol.asyncDispose]: async () => writer.close?.() };
  await using list = await TextFile.create(await folder.pathOf(FILE_LIST));
  const names = fileNamesOf(images);
  const counts = { images: 0, synthetic: 0, emptyMasks: 0 };
  const types = new Map<string, number>();
  for (let from = 0; from < images.length; from += AT_ONCE) {
    const chunk = images.slice(from, from + AT_ONCE).map((image, i) => ({ image, index: from + i }));
    const written = await fewAtOnce(chunk, async ({ image, index }) => {
      const set = setOf(image, settings.split);
      const loaded = await loadExported(image, { index, name: names[index] as string, set });
      return loaded && { loaded, written: await writer.write(loaded) };
    });
    for (const one of written) {
      if (one === undefined) {
        counts.emptyMasks++;
        continue;
      }
      await writer.list?.(one.loaded, one.written.entry);
      await list.append(linesOf(one.loaded, one.written));
      counts.images++;
      if (one.loaded.provenance.synthetic) counts.synthetic++;
      for (const { type } of one.loaded.defects) types.set(type, (types.get(type) ?? 0) + 1);
    }
    onImage(Math.min(images.length, from + AT_ONCE));
    await setImmediate();
  }
  await writer.finish();
  await list.close();
  await folder.commit();
  return { ...counts, types: Object.fromEntries(types) };
}

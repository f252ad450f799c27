/** Opens datasets in every format. */
import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DatasetError } from '../../core/errors.js';
import { holdsStagedFiles } from '../../core/staged-folder.js';
import { checkValue, oneOf } from '../../options/check.js';
import { type DataFormat, dataFormats } from '../../options/names.js';
import type { DatasetContents } from '../contents.js';
import { Faults } from '../faults.js';
import { openFolder } from '../folder-contents.js';
import { foldersIn, isFolder, someOf } from '../folders.js';
import { annotatedContents } from './annotated.js';
import { openCoco } from './coco.js';
import { openCvat } from './cvat.js';
import { openDatumaro } from './datumaro.js';
import { pathBelow } from './files.js';
import { findFormat } from './find-format.js';
import { openLabelme } from './labelme.js';
import { openKolektor, openMasks, openVisa } from './masks.js';
import { openVoc } from './voc.js';
import { openYolo } from './yolo.js';

const READERS: Record<DataFormat, (path: string, needsTypes: boolean, faults: Faults) => Promise<DatasetContents>> = {
  mvtec: openFolder,
  mpdd: openFolder,
  btad: (path, needsTypes, faults) => openFolder(path, needsTypes, faults, 'ok'),
  visa: openVisa,
  kolektor: openKolektor,
  coco: openCoco,
  labelme: openLabelme,
  cvat: openCvat,
  yolo: openYolo,
  voc: openVoc,
  datumaro: openDatumaro,
  masks: openMasks,
};

/** These formats may be given as one file. The others are folders. */
const FILES: readonly DataFormat[] = ['coco', 'labelme', 'cvat', 'yolo', 'datumaro'];

/**
 * Opens the dataset in a file or folder. Its content tells the format, unless `format` does. Throws ERR_INVALID_OPTION for
 * an unknown format, and ERR_DATASET_INVALID for data that cannot be used. The data needs no defect type if
 * `needsTypes` is false. `faults` receives the errors of entries, which are thrown unless it keeps them. If it does, data
 * whose format is known but that cannot be read has no images.
 */
export async function openData(
  path: string,
  format?: DataFormat,
  needsTypes = true,
  faults = Faults.thrown,
): Promise<{ format: DataFormat; contents: DatasetContents }> {
  checkValue('format', oneOf(dataFormats).optional(), format);
  const place = resolve(path);
  const isWhole = await isFolder(place);
  if (!(await stat(place).catch(() => undefined))) throw new DatasetError(`The dataset folder ${place} does not exist`);
  if (isWhole) await refuseUnfinished(place);
  const found = format ?? (await findFormat(place));
  if (found === undefined && !isWhole) {
    throw new DatasetError(
      `${place} is no dataset: expected a JSON file of COCO, labelme or Datumaro, annotations.xml of CVAT, or data.yaml of YOLO`,
    );
  }
  if (found !== undefined && !isWhole && !FILES.includes(found)) {
    throw new DatasetError(`${place} is a file, but a dataset in the format ${found} is a folder`);
  }
  if (found === undefined) await refuseSeveral(place);
  const known = found ?? 'mvtec'; // Its reader tells what a category needs.
  const open = () => READERS[known](place, needsTypes, faults);
  if (found === undefined) return { format: known, contents: await open() };
  const folder = isWhole ? place : dirname(place);
  const contents = (await faults.attempt(open)) ?? annotatedContents(folder, place, [], false, faults);
  return { format: known, contents };
}

/**
 * Throws ERR_DATASET_INVALID for what a killed import or export has left. If it was killed while it moved its files to
 * their places, a part of them makes a dataset of its own.
 */
async function refuseUnfinished(folder: string): Promise<void> {
  if (!(await holdsStagedFiles(folder))) return;
  throw new DatasetError(`${folder} holds an import or export that was not finished: repeat that command`);
}

/** Throws ERR_DATASET_INVALID if folders in a folder are datasets, so that it is none itself. */
export async function refuseSeveral(folder: string): Promise<void> {
  const datasets = (await datasetsIn(folder)).filter((one) => one !== folder);
  if (datasets.length === 0) return;
  const names = someOf(datasets.map((one) => pathBelow(folder, one)));
  throw new DatasetError(
    `${folder} is not a category in MVTec AD's layout or a dataset of another format, but holds some (${names}): name one of these folders`,
  );
}

/** Tells whether a folder holds a dataset, even one that cannot be read, so that its error is not lost. */
const isDataset = async (folder: string): Promise<boolean> =>
  (await isFolder(join(folder, 'test'))) || (await findFormat(folder).catch(() => 'unreadable')) !== undefined;

/**
 * Lists the datasets in a folder, sorted by name. If the path is itself a dataset, or holds none, it is the only one.
 */
export async function datasetsIn(path: string): Promise<string[]> {
  const place = resolve(path);
  const format = await findFormat(place).catch(() => undefined);
  if (!(await isFolder(place)) || (await isFolder(join(place, 'test'))) || format !== undefined) return [place];
  const found: string[] = [];
  for (const entry of await foldersIn(place)) if (await isDataset(entry.path)) found.push(entry.path);
  return found.length > 0 ? found : [place]; // Opening this folder then fails with an error that describes a category.
}

/** Declares what every writer of a format does. */
import { writeFile } from 'node:fs/promises';
import { withFileErrors } from '../../core/errors.js';
import type { StagedFolder } from '../../core/staged-folder.js';
import type { ExportSet, LoadedImage } from './loaded-image.js';

/** What a writer knows before the first image. */
export interface ExportPlan {
  folder: StagedFolder;
  /** The name of the dataset. */
  category: string;
  /** The defect types, sorted by name. */
  types: readonly string[];
  sets: readonly ExportSet[];
  /** Polygons differ from masks by at most this many pixels. */
  polygonError: number;
  /** True if there are good images for training, and for the test. */
  hasGood: { train: boolean; test: boolean };
}

/** The files of an image, relative to the folder of the export. */
export interface WrittenFiles {
  image: string;
  /** The types that these files show, if they are not all types of the image. */
  types?: string[];
  mask?: string;
  label?: string;
}

/** An image that was written, with what the writer lists about it afterwards. */
export interface WrittenImage<Entry> {
  files: readonly WrittenFiles[];
  entry: Entry;
}

/** Writes one format. */
export interface FormatWriter<Entry = unknown> {
  /** Writes the files of an image. Several calls may run at once. */
  write(image: LoadedImage): Promise<WrittenImage<Entry>>;
  /** Lists an image that was written. The calls come one after the other, in the order of the images. */
  list?(image: LoadedImage, entry: Entry): Promise<void>;
  /** Writes the files about all images. */
  finish(): Promise<void>;
  /** Closes files that are still open after a failure. */
  close?(): Promise<void>;
}

/** Writes a file of text or bytes into the folder of an export. */
export async function writeStaged(folder: StagedFolder, name: string, data: string | Uint8Array): Promise<void> {
  const path = await folder.pathOf(name);
  await withFileErrors('write', path, () => writeFile(path, data, { flag: 'wx' }));
}

/** Saves the image file of an export at a place in its folder. Returns the place. */
export async function saveImage(folder: StagedFolder, image: LoadedImage, ...place: string[]): Promise<string> {
  const name = [...place, image.set, `${image.name}${image.ending}`].filter((part) => part !== '').join('/');
  await image.save(await folder.pathOf(name));
  return name;
}

/** Returns the place of a file beside the images of a set. */
export const placeIn = (set: ExportSet, folder: string, name: string): string =>
  [folder, set, name].filter((part) => part !== '').join('/');

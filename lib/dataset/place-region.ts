/** Reads where defects may be placed: a mask of a photograph, or a box. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DatasetError, InvalidOptionError } from '../core/errors.js';
import type { Box } from './cut.js';
import { boundingBox } from './fit.js';
import { isFolder, refuseSameStems } from './folders.js';
import { ImageInMemory, type ImageInput, type ImageSource, labelOf } from './image-source.js';
import { readMaskOf } from './mask-file.js';
import { masksIn, namedMaskOf } from './mask-files.js';
import type { Photograph } from './photograph.js';
import { type Marks, marksOf } from './photograph-window.js';

/** A region of a photograph. */
export interface Region {
  /** The smallest box around it, in pixels of the photograph. */
  box: Box;
  marks: Marks;
  /** The region's name in messages. */
  label: string;
}

/** Finds the region of each photograph. */
export interface RegionSource {
  kind: 'mask' | 'box';
  /** Returns undefined if the mask of the photograph marks no pixel. */
  regionOf(photograph: Photograph): Promise<Region | undefined>;
}

const BOX = /^-?\d+(,-?\d+){3}$/;

/** A text of numbers that is no file's name must be meant as a box. */
const NUMBERS = /^[-+.\d\s]+(,[-+.\d\s]+)+$/;

const notABox = (option: string, given: string) =>
  new InvalidOptionError(
    `Expected a box x,y,width,height of whole pixels, without spaces, for ${option} but received ${given}`,
  );

/**
 * Opens the masks of an option: a box `x,y,width,height` in pixels, a folder of masks that are named like the
 * photographs (`<name>_mask` or `<name>`), or one mask for all of them. Throws ERR_INVALID_OPTION for a box without
 * pixels, and ERR_DATASET_INVALID if there is no such file or folder, or if a photograph has no mask in the folder.
 */
export async function openRegions(
  option: 'where' | 'whereNot',
  given: ImageInput,
  photographs: readonly ImageSource[],
): Promise<RegionSource> {
  if (typeof given !== 'string') {
    const source = new ImageInMemory(option, option, given);
    return { kind: 'mask', regionOf: (photograph) => maskRegion(photograph, source) };
  }
  if (BOX.test(given)) return boxSource(option, given);
  const path = resolve(given);
  if (await isFolder(path)) return folderSource(option, path, photographs);
  if (!(await stat(path).catch(() => undefined))) {
    if (NUMBERS.test(given)) throw notABox(option, given);
    const forms = `${option === 'where' ? 'auto, ' : ''}a folder of masks, a mask, or x,y,width,height`;
    throw new DatasetError(`${path} does not exist: expected ${forms} for ${option}`);
  }
  return { kind: 'mask', regionOf: (photograph) => maskRegion(photograph, path) };
}

function boxSource(option: string, given: string): RegionSource {
  const [left, top, width, height] = given.split(',').map(Number) as [number, number, number, number];
  if (width < 1 || height < 1) {
    throw notABox(option, given);
  }
  const marks: Marks = (x, y) => x >= left && y >= top && x < left + width && y < top + height;
  const region = { box: { left, top, width, height }, marks, label: `The box ${given}` };
  return {
    kind: 'box',
    async regionOf({ label, image }) {
      if (left >= 0 && top >= 0 && left + width <= image.width && top + height <= image.height) return region;
      throw new InvalidOptionError(
        `Expected a box inside the ${image.width} x ${image.height} pixels of ${label} for ${option} but received ${given}`,
      );
    },
  };
}

async function folderSource(
  option: string,
  folder: string,
  photographs: readonly ImageSource[],
): Promise<RegionSource> {
  const files = photographs.filter((source) => typeof source === 'string');
  refuseSameStems(files, (stem) => `the mask ${stem}_mask.png`);
  const masks = await masksIn(folder);
  // A missing mask must be reported before any work is done.
  const found = new Map(
    photographs.map((source) => [source, namedMaskOf(source, masks, folder, `mask for ${option}`)]),
  );
  return {
    kind: 'mask',
    regionOf: (photograph) => maskRegion(photograph, found.get(photograph.source) as string),
  };
}

async function maskRegion({ stored, image }: Photograph, mask: ImageSource): Promise<Region | undefined> {
  const pixels = await readMaskOf(stored, mask, 'place mask');
  const box = boundingBox(pixels);
  if (!box) return undefined;
  return { box, marks: marksOf(pixels, image), label: `The mask ${labelOf(mask)}` };
}

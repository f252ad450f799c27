/** Loads the images and masks that an export writes. */
import { copyFile, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { withFileErrors } from '../../core/errors.js';
import { COPY } from '../../core/files.js';
import type { RawImage } from '../../core/image.js';
import type { Purpose } from '../contents.js';
import type { DatasetImage, Origin } from '../dataset-images.js';
import { decodeImage, decodeShrunk } from '../decode.js';
import { emptyMask, readMaskIn } from '../example-file.js';
import { encodePng, rgbOf, type Stored } from '../image-file.js';
import type { ImageSource } from '../image-source.js';
import { turnedSize } from '../orientation.js';
import { recordAfterReview } from '../reviewed-pairs.js';

/** With a split, the files of real and of generated images lie in folders of these names. Without one, it is empty. */
export type ExportSet = '' | 'real' | 'generated';

/** An image that is ready to be written. */
export interface LoadedImage {
  /** The image's number in the export, from 0. */
  index: number;
  /** The name of its files, without ending. */
  name: string;
  /** The ending of its image file, with the dot. */
  ending: string;
  set: ExportSet;
  origin: Origin;
  /** The size in pixels, with the EXIF orientation applied. */
  width: number;
  height: number;
  /** The masks have the size of the image, one channel of 0 and 255, and mark at least one pixel. */
  defects: { type: string; mask: RawImage }[];
  /** What the record of the image says about where it comes from. */
  provenance: Provenance;
  /** Writes the image file. */
  save(path: string): Promise<void>;
}

/** Says where an image comes from. It stands in the record of every exported image. */
export interface Provenance {
  /** True if the image was generated. */
  synthetic: boolean;
  /** The path of the image below the folder of its dataset or pairs. */
  source: string;
  /** The part of the dataset that a good photograph belongs to, so that an import does not train on images for tests. */
  part?: Purpose;
  /** The record of a generated pair, with its review if there is one. */
  pair?: object;
}

/** All programs that read the formats read files of these endings. */
const COMMON_ENDINGS = ['.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp'];

/**
 * Reads an image to its end. Programs differ in how they read samples of other than 8 bits and orientations, so that such
 * images are written anew: they are returned as pixels, and the files of others are copied.
 */
async function readExported(source: ImageSource): Promise<{ stored: Stored; pixels?: RawImage }> {
  const isCommon = typeof source === 'string' && COMMON_ENDINGS.includes(extname(source).toLowerCase());
  const shrunk = isCommon ? await decodeShrunk(source) : undefined;
  if (shrunk?.orientation === 1)
    return { stored: { source, width: shrunk.width, height: shrunk.height, orientation: 1 } };
  const decoded = await decodeImage(source);
  const { image: pixels, stored } = await rgbOf(decoded);
  const isPlain = isCommon && decoded.data instanceof Uint8Array && stored.orientation === 1;
  return isPlain ? { stored } : { stored, pixels };
}

/**
 * Decodes an image and its masks. Returns undefined for a generated pair whose mask is empty. Throws ERR_DATASET_INVALID
 * with the file that cannot be read, has no mask, or has a mask that is empty or of another size.
 */
export async function loadExported(
  exported: DatasetImage,
  { index, name, set }: { index: number; name: string; set: ExportSet },
): Promise<LoadedImage | undefined> {
  const { image: source, origin, pair, record, review } = exported;
  const { stored, pixels } = await readExported(source);
  const defects: LoadedImage['defects'] = [];
  for (const { type, mask: from } of exported.defects) {
    const mask = await readMaskIn(stored, from);
    if (mask.data.includes(255)) defects.push({ type, mask });
    else if (pair === undefined) throw emptyMask(from);
    else return undefined;
  }
  const size = turnedSize(stored, stored.orientation);
  const reviewed = pair && review && { pair: recordAfterReview(pair, review, size) };
  const part = defects.length === 0 && origin !== 'generated' && { part: origin };
  return {
    ...{ index, name, set, origin, defects },
    ending: pixels ? '.png' : extname(source as string).toLowerCase(),
    ...size,
    provenance: { synthetic: false, source: exported.source, ...part, ...record, ...reviewed },
    save: (path) =>
      withFileErrors('write', path, async () => {
        if (pixels) await writeFile(path, await encodePng(pixels), { flag: 'wx' });
        else await copyFile(source as string, path, COPY);
      }),
  };
}

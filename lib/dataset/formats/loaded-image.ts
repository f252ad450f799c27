/** Loads the images and masks that an export writes. */
import { constants } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { withFileErrors } from '../../core/errors.js';
import type { RawImage } from '../../core/image.js';
import type { DatasetImage, Origin } from '../dataset-images.js';
import { type Decoded, decodeImage, turnedSize } from '../decode.js';
import { emptyMask, readMaskIn } from '../example-file.js';
import { encodePng, readStored } from '../image-file.js';

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
  /** The record of a generated pair. */
  pair?: object;
}

/** All programs that read the formats read files of these endings. */
const COMMON_ENDINGS = ['.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp'];

/** Programs differ in how they read other depths and orientations, so such images are written anew. */
const isPlain = ({ source, data, orientation }: Decoded): boolean =>
  typeof source === 'string' &&
  data instanceof Uint8Array &&
  orientation === 1 &&
  COMMON_ENDINGS.includes(extname(source).toLowerCase());

/**
 * Decodes an image and its masks. Returns undefined for a generated pair whose mask is empty. Throws ERR_DATASET_INVALID
 * with the file that cannot be read, has no mask, or has a mask that is empty or of another size.
 */
export async function loadExported(
  exported: DatasetImage,
  { index, name, set }: { index: number; name: string; set: ExportSet },
): Promise<LoadedImage | undefined> {
  const { image: source, origin, pair } = exported;
  const decoded = await decodeImage(source);
  const { width, height, orientation } = decoded;
  const plain = isPlain(decoded);
  const defects: LoadedImage['defects'] = [];
  for (const { type, mask: from } of exported.defects) {
    const mask = await readMaskIn({ source, width, height, orientation }, from);
    if (mask.data.includes(255)) defects.push({ type, mask });
    else if (pair === undefined) throw emptyMask(from);
    else return undefined;
  }
  return {
    ...{ index, name, set, origin, defects },
    ending: plain ? extname(source as string).toLowerCase() : '.png',
    ...turnedSize(decoded, orientation),
    provenance: { synthetic: pair !== undefined, source: exported.source, ...(pair && { pair }) },
    save: (path) =>
      withFileErrors('write', path, async () => {
        if (plain) await copyFile(source as string, path, constants.COPYFILE_EXCL);
        else await writeFile(path, await encodePng((await readStored(source)).image), { flag: 'wx' });
      }),
  };
}

/** Measures the files of a pair. */
import { DatasetError } from '../core/errors.js';
import type { PixelData, RawImage } from '../core/image.js';
import { pathInside } from '../core/path-inside.js';
import type { Box, Size } from './cut.js';
import { boundingBox } from './fit.js';
import { readMask } from './mask-file.js';
import type { PairRecord } from './pair-record.js';
import { pictureSize } from './thumbnail-file.js';

/** What is known of a pair's files. */
export interface PairMeasures {
  /** The size of the image in pixels. It is 0 if the image cannot be read. */
  width: number;
  height: number;
  /** The number of pixels that the mask marks. */
  area: number;
  /** The smallest box around them. It is null if there is none. */
  box: Box | null;
  /** Why the files cannot be used. */
  problem?: string;
}

/** Returns the number of marked pixels of a mask of 0 and 255. */
export function areaOf({ data }: Pick<PixelData, 'data'>): number {
  let area = 0;
  for (let i = 0; i < data.length; i++) if ((data[i] as number) > 0) area++; // An iterator takes several times as long.
  return area;
}

/** Returns the number of marked pixels of a mask of 0 and 255, and the box around them. */
export const measureMask = (mask: PixelData): Pick<PairMeasures, 'area' | 'box'> => ({
  area: areaOf(mask),
  box: boundingBox(mask) ?? null,
});

const sizeText = ({ width, height }: Size) => `${width} x ${height}`;

/** Returns the measures of a pair, and its mask if the pair can be shown and has one. */
export async function measurePair(
  folder: string,
  record: Pick<PairRecord, 'image' | 'mask'>,
): Promise<{ measures: PairMeasures; mask?: RawImage }> {
  const image = pathInside(folder, record.image);
  const size = await pictureSize(image);
  const none = { width: size?.width ?? 0, height: size?.height ?? 0, area: 0, box: null };
  const failed = (problem: string) => ({ measures: { ...none, problem } });
  if (!size) return failed(`${image} is missing or cannot be read`);
  if (record.mask === undefined) return { measures: none };
  try {
    const mask = await readMask(pathInside(folder, record.mask));
    if (mask.width !== size.width || mask.height !== size.height) {
      return failed(`${record.mask} has ${sizeText(mask)} pixels, but its image has ${sizeText(size)}`);
    }
    return { measures: { ...size, ...measureMask(mask) }, mask };
  } catch (error) {
    if (error instanceof DatasetError) return failed(error.message);
    return failed(`The mask cannot be read: ${(error as Error).message}`);
  }
}

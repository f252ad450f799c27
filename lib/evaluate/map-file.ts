/** Reads maps that other programs have written. */
import { readFile } from 'node:fs/promises';
import { DatasetError, withFileErrors } from '../core/errors.js';
import { decodeImage } from '../dataset/decode.js';
import type { ScoreMap } from '../detect/resize-scores.js';
import { readNpy } from './npy.js';

/** The endings of the files that maps are read from. */
export const MAP_ENDINGS = ['.npy', '.png', '.tif', '.tiff'];

async function readArray(path: string): Promise<ScoreMap> {
  const { data, shape } = readNpy(await withFileErrors('read', path, () => readFile(path)), path);
  const [height, width, ...more] = shape.length > 2 ? shape.filter((extent) => extent !== 1) : shape;
  if (height === undefined || width === undefined || more.length > 0 || data.length === 0) {
    throw new DatasetError(`${path} has the shape ${shape.join(' x ') || 'of one number'}: expected height x width`);
  }
  return { data, width, height };
}

async function readGrey(path: string): Promise<ScoreMap> {
  const { data, width, height, channels, lossy } = await decodeImage(path);
  if (lossy) throw new DatasetError(`${path} has a compression that changes scores: save it as PNG, TIFF or .npy`);
  if (channels !== 1) {
    throw new DatasetError(`${path} has ${channels} channels: expected a map with one, not a picture of it`);
  }
  return { data: Float32Array.from(data), width, height };
}

/**
 * Reads the scores of a map as the file holds them: from a grey PNG or TIFF of 8 or 16 bits, a TIFF of floats, or an
 * array of NumPy. They are neither scaled nor clamped. Throws ERR_FILE_ACCESS, and ERR_DATASET_INVALID with the file if
 * it is damaged, has several channels, or has a score that is not finite.
 */
export async function readMap(path: string): Promise<ScoreMap> {
  const map = await (path.toLowerCase().endsWith('.npy') ? readArray(path) : readGrey(path));
  const wrong = map.data.findIndex((score) => !Number.isFinite(score));
  if (wrong >= 0) {
    const [x, y] = [wrong % map.width, Math.floor(wrong / map.width)];
    throw new DatasetError(
      `${path} has the score ${map.data[wrong]} at column ${x} of row ${y}: expected finite scores of any range`,
    );
  }
  return map;
}

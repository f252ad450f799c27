import { join } from 'node:path';
import { writeFileAtomic } from '../core/files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { pathInside } from '../core/path-inside.js';
import { encodePng } from '../dataset/image-file.js';
import type { NativeTaskOptions } from '../run-native.js';
import type { Detection } from './detection.js';
import { imageScore, mean, type Tested } from './scores.js';
import { GOOD } from './split.js';

/** A tested image of a defect in one run. `map` is the path of its map, relative to the evaluation's folder. */
export interface TestedImage {
  type: string;
  name: string;
  /** The pixel average precision of the map, 0 to 1. */
  pixelAp: number;
  map: string;
}

/** A tested good image in one run. `map` is the path of its map, relative to the evaluation's folder. */
export interface TestedGood {
  name: string;
  /** The mean of the map, 0 to 1. Any probability on a good image is a false alarm. */
  meanProbability: number;
  map: string;
}

/**
 * Writes the maps of a run as images to the subfolder `maps`, where 255 is a probability of 1. Returns a score for each
 * image.
 */
export async function writeMaps(
  folder: string,
  maps: string,
  { tested, good }: Pick<Detection, 'tested' | 'good'>,
  size: number,
  options: NativeTaskOptions,
): Promise<{ images: TestedImage[]; good: TestedGood[] }> {
  const valuesOf = (of: Tested, index: number) => of.maps.subarray(index * size * size, (index + 1) * size * size);
  for (const type of [...tested.keys(), GOOD]) {
    await removePartialFiles(join(folder, maps, type), (name) => name.endsWith('.png'));
  }
  const write = async (type: string, name: string, values: Float32Array) => {
    const map = join(maps, type, `${name}.png`);
    const data = Uint8Array.from(values, (value) => Math.round(255 * value));
    await writeFileAtomic(pathInside(folder, map), await encodePng({ data, width: size, height: size, channels: 1 }));
    return map;
  };
  const images: TestedImage[] = [];
  for (const [type, of] of tested) {
    for (const [index, { name }] of of.squares.entries()) {
      const map = await write(type, name, valuesOf(of, index));
      images.push({ type, name, pixelAp: await imageScore(of, index, size, options), map });
    }
  }
  const goodImages: TestedGood[] = [];
  for (const [index, { name }] of good.squares.entries()) {
    const values = valuesOf(good, index);
    goodImages.push({ name, meanProbability: mean([...values]), map: await write(GOOD, name, values) });
  }
  return { images, good: goodImages };
}

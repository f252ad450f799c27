import { join } from 'node:path';
import { writeFileAtomic } from '../core/files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { pathInside } from '../core/path-inside.js';
import { encodePng } from '../dataset/image-file.js';
import type { NativeTaskOptions } from '../run-native.js';
import type { Detection } from './detection.js';
import { imageScore, mean, type Tested } from './scores.js';
import { GOOD } from './split.js';

/** One tested image of a defect in one run: the pixel average precision of its map, and the map's file below the folder. */
export interface TestedImage {
  type: string;
  name: string;
  pixelAp: number;
  map: string;
}

/** One tested good image in one run: the mean of its map, 0 to 1, all of it false alarm, and the map's file. */
export interface TestedGood {
  name: string;
  meanProbability: number;
  map: string;
}

/**
 * Writes the maps of a run as pictures in `maps` below the folder, 255 for a certain defect, and says how well each
 * image was judged.
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
  const judgedGood: TestedGood[] = [];
  for (const [index, { name }] of good.squares.entries()) {
    const values = valuesOf(good, index);
    judgedGood.push({ name, meanProbability: mean([...values]), map: await write(GOOD, name, values) });
  }
  return { images, good: judgedGood };
}

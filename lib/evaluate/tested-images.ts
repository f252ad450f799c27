import { join } from 'node:path';
import type { NativeMapScorer } from '../addon-types.js';
import { writeFileAtomic } from '../core/files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { pathInside } from '../core/path-inside.js';
import { encodePng } from '../dataset/image-file.js';
import { type NativeTaskOptions, runNative } from '../run-native.js';
import { GOOD } from './split.js';
import type { Photograph } from './tiles.js';

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
 * Records a run's maps one by one: gives each to the scorer, and writes it as an image to the subfolder `maps`, where
 * 255 is a probability of 1.
 */
export class MapRecorder {
  readonly images: TestedImage[] = [];
  readonly good: TestedGood[] = [];

  constructor(
    readonly folder: string,
    readonly maps: string,
    readonly scorer: NativeMapScorer,
    readonly options: NativeTaskOptions,
  ) {}

  /** Removes unfinished files of an earlier process. */
  async clean(types: readonly string[]): Promise<void> {
    for (const type of [...types, GOOD]) {
      await removePartialFiles(join(this.folder, this.maps, type), (name) => name.endsWith('.png'));
    }
  }

  async addDefect(type: string, name: string, photograph: Photograph, values: Float32Array): Promise<void> {
    const pixelAp = await this.#score(type, photograph, values);
    const map = await this.#write(type, name, photograph, values);
    this.images.push({ type, name, pixelAp: Number.isNaN(pixelAp) ? 0 : pixelAp, map });
  }

  async addGood(name: string, photograph: Photograph, values: Float32Array): Promise<void> {
    await this.#score(GOOD, photograph, values);
    const meanProbability = values.reduce((sum, value) => sum + value, 0) / values.length;
    this.good.push({ name, meanProbability, map: await this.#write(GOOD, name, photograph, values) });
  }

  #score(set: string, { mask }: Photograph, data: Float32Array): Promise<number> {
    const map = { data, shape: [mask.height, mask.width] };
    return runNative(this.options, (_, task) => this.scorer.add(set, map, mask.data, task));
  }

  async #write(type: string, name: string, { mask: { width, height } }: Photograph, values: Float32Array) {
    const map = join(this.maps, type, `${name}.png`);
    const data = new Uint8Array(values.length);
    for (let i = 0; i < data.length; i++) data[i] = Math.round(255 * (values[i] as number));
    await writeFileAtomic(pathInside(this.folder, map), await encodePng({ data, width, height, channels: 1 }));
    return map;
  }
}

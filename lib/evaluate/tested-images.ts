import { join } from 'node:path';
import type { NativeMapScorer } from '../addon-types.js';
import { writeFileAtomic } from '../core/files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { pathInside } from '../core/path-inside.js';
import { encodeFloatTiff } from '../dataset/float-tiff.js';
import { encodePng } from '../dataset/image-file.js';
import type { DetectorKind } from '../detect/kinds.js';
import type { Scored } from '../detect/scored.js';
import type { Photograph } from '../detect/tiles.js';
import { type NativeTaskOptions, runNative } from '../run-native.js';
import { GOOD } from './split.js';
import type { TestImage } from './test-images.js';

/** The map of a tested image in one run. */
export interface TestedMap {
  name: string;
  /**
   * The path of the map, relative to the evaluation's folder. Scores of any range are a TIFF file of floats.
   * Probabilities are a PNG file, where 255 is a probability of 1.
   */
  map: string;
  /** The lowest and the highest score of a map of floats. */
  range?: [low: number, high: number];
  /** The score that the detector gives to the whole image, if it defines one. */
  score?: number;
}

/** A tested image of a defect in one run. */
export interface TestedImage extends TestedMap {
  type: string;
  /** The pixel average precision of the map, 0 to 1. */
  pixelAp: number;
}

/** A tested good image in one run. */
export interface TestedGood extends TestedMap {
  /** The mean of the map. The map of `unet` has probabilities, 0 to 1, each of which is a false alarm. */
  meanProbability: number;
}

/** Returns the lowest and the highest score. */
function rangeOf(map: Float32Array): [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of map) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** The mask of a tested image, at the size of its map. */
type Tested = Pick<Photograph, 'mask'>;

/** Records a run's maps one by one: gives each to the scorer, and writes it to the subfolder `maps`. */
export class MapRecorder {
  readonly images: TestedImage[] = [];
  readonly good: TestedGood[] = [];

  constructor(
    readonly folder: string,
    readonly maps: string,
    readonly scorer: NativeMapScorer,
    readonly detector: Pick<DetectorKind, 'givesProbabilities'>,
    readonly options: NativeTaskOptions,
  ) {}

  /** Removes unfinished files of an earlier process. */
  async clean(types: readonly string[]): Promise<void> {
    for (const type of [...types, GOOD]) {
      await removePartialFiles(join(this.folder, this.maps, type), (name) => /\.(png|tiff)$/.test(name));
    }
  }

  async addDefect(type: string, image: TestImage, photograph: Tested, scored: Scored): Promise<void> {
    const pixelAp = await this.#score(type, image, photograph, scored);
    const tested = await this.#write(type, image.name, photograph, scored);
    this.images.push({ type, ...tested, pixelAp: Number.isNaN(pixelAp) ? 0 : pixelAp });
  }

  async addGood(image: TestImage, photograph: Tested, scored: Scored): Promise<void> {
    await this.#score(GOOD, image, photograph, scored);
    const meanProbability = scored.map.reduce((sum, value) => sum + value, 0) / scored.map.length;
    this.good.push({ ...(await this.#write(GOOD, image.name, photograph, scored)), meanProbability });
  }

  #score(set: string, { part }: TestImage, { mask }: Tested, { map: data, score }: Scored): Promise<number> {
    const map = { data, shape: [mask.height, mask.width] };
    return runNative(this.options, (_, task) => this.scorer.add(set, map, mask.data, { part, score }, task));
  }

  async #write(type: string, name: string, { mask }: Tested, { map: values, score }: Scored): Promise<TestedMap> {
    const { width, height } = mask;
    const write = async (ending: string, file: Buffer) => {
      const map = join(this.maps, type, `${name}.${ending}`);
      await writeFileAtomic(pathInside(this.folder, map), file);
      return { name, map, ...(score !== undefined && { score }) };
    };
    if (!this.detector.givesProbabilities) {
      return { ...(await write('tiff', await encodeFloatTiff(values, width, height))), range: rangeOf(values) };
    }
    const data = new Uint8Array(values.length);
    for (let i = 0; i < data.length; i++) data[i] = Math.round(255 * (values[i] as number));
    return write('png', await encodePng({ data, width, height, channels: 1 }));
  }
}

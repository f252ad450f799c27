import { join } from 'node:path';
import type { NativeMapScorer, NativeTensor } from '../addon-types.js';
import { writeFileAtomic } from '../core/files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { pathInside } from '../core/path-inside.js';
import type { Size } from '../dataset/cut.js';
import { encodeFloatTiff } from '../dataset/float-tiff.js';
import { encodePng } from '../dataset/image-file.js';
import type { DetectorKind } from '../detect/kinds.js';
import type { Scored } from '../detect/scored.js';
import { getEngine } from '../native.js';
import { callNative, type NativeTaskOptions, runNative } from '../run-native.js';
import { GOOD } from './split.js';
import type { TestImage, TestPhotograph } from './test-images.js';
import { type TestedDefect, testedDefects } from './tested-defects.js';

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

/** A photograph at its own size, and its defects from top to bottom. */
export interface TestedPhotograph extends Size {
  defects: TestedDefect[];
}

/** A tested image of a defect in one run. */
export interface TestedImage extends TestedMap {
  type: string;
  /** What its mask marks. Maps of other programs and results of an earlier version have none. */
  photograph?: TestedPhotograph;
  /** The pixel average precision of the map, 0 to 1. */
  pixelAp: number;
}

/** A tested good image in one run. */
export interface TestedGood extends TestedMap {
  /** The mean of the map. The map of `unet` has probabilities, 0 to 1, each of which is a false alarm. */
  meanProbability: number;
  /** The score that the threshold of images is compared with. Results of an earlier version have none. */
  imageScore?: number;
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

/** The mask of a tested image, at the size of its map, and at that of the photograph if its defects are recorded. */
type Tested = Pick<TestPhotograph, 'mask' | 'ownMask'>;

const tensorOf = ({ mask: { width, height } }: Tested, { map: data }: Scored) => ({ data, shape: [height, width] });

/** Returns the score of an image by its map. Only the engine knows it, as the best threshold for this image alone. */
async function imageScoreOf(map: NativeTensor, options: NativeTaskOptions): Promise<number> {
  const engine = await getEngine();
  const scorer = callNative(() => engine.createMapScorer());
  const mask = new Uint8Array(map.data.length).fill(255);
  try {
    await runNative(options, (_, task) => scorer.add(GOOD, map, mask, { part: 0 }, task));
    return (await runNative(options, (_, task) => scorer.bestThresholds([GOOD], task))).image;
  } finally {
    scorer.dispose();
  }
}

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
    const { mask, ownMask } = photograph;
    const { width, height } = mask;
    this.images.push({
      ...{ type, ...tested, pixelAp: Number.isNaN(pixelAp) ? 0 : pixelAp },
      ...(ownMask && {
        photograph: {
          ...{ width: ownMask.width, height: ownMask.height },
          defects: testedDefects(ownMask, { data: scored.map, width, height }),
        },
      }),
    });
  }

  async addGood(image: TestImage, photograph: Tested, scored: Scored): Promise<void> {
    await this.#score(GOOD, image, photograph, scored);
    const meanProbability = scored.map.reduce((sum, value) => sum + value, 0) / scored.map.length;
    const imageScore = scored.score ?? (await imageScoreOf(tensorOf(photograph, scored), this.options));
    this.good.push({ ...(await this.#write(GOOD, image.name, photograph, scored)), meanProbability, imageScore });
  }

  #score(set: string, { part }: TestImage, photograph: Tested, scored: Scored): Promise<number> {
    const map = tensorOf(photograph, scored);
    const { data } = photograph.mask;
    return runNative(this.options, (_, task) => this.scorer.add(set, map, data, { part, score: scored.score }, task));
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

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import { Dataset, type Example } from '../dataset/dataset.js';
import { encodePng } from '../dataset/image-file.js';
import { DatasetError } from '../errors.js';
import { writeFileAtomic } from '../files.js';
import { checkOptions } from '../options/check.js';
import { evaluatorSchema } from '../options/schemas.js';
import type { TaskOptions } from '../run-native.js';
import { predictMaps, removeCheckpoint, trainDetector } from './detector.js';
import { EvaluationData, type RowDefects, type Split } from './evaluation-data.js';
import { PROTOCOLS, type Protocol } from './protocol.js';
import { makeRows, type Row } from './rows.js';
import { imageScore, type RunScores, scoreRun, type Tested } from './scores.js';
import { imagesIfAny, type Square } from './squares.js';

/**
 * Options of {@link Evaluator.open}.
 * @interface
 */
export type EvaluatorOptions = z.input<typeof evaluatorSchema>;

/** Where an evaluation is. */
export interface EvaluationProgress {
  row: string;
  seed: number;
  /** Of the training of this detector. */
  step: number;
  /** Undefined for a run that an earlier process did. */
  loss: number | undefined;
  /** Detector training steps done and to do, of all rows and seeds; those that an earlier process did count as done. */
  done: number;
  total: number;
}

export type EvaluateOptions = TaskOptions & { onProgress?: (progress: EvaluationProgress) => void };

/** One tested image of one run: the pixel average precision of its map, and the map's file below the folder. */
export interface TestedImage {
  type: string;
  name: string;
  pixelAp: number;
  map: string;
}

/** One row with one seed. */
export interface EvaluationRun extends RunScores {
  row: string;
  seed: number;
  /** Images of defects that it learned from, and those left out because their masks are empty. */
  defects: number;
  emptyMasks: number;
  seconds: number;
  /** Defects, for the first seed of a row; else empty. */
  images: TestedImage[];
}

/** All runs, with what they were made of. */
export interface Evaluation {
  category: string;
  types: readonly string[];
  rows: readonly string[];
  protocol: Protocol & { name: string };
  /** Images that test: of each type, and good ones. */
  tested: Record<string, number>;
  /** Real images that train: of each type, and good ones. */
  training: Record<string, number>;
  runs: EvaluationRun[];
}

/** What one run needs. */
interface RunInput {
  row: Row;
  seed: number;
  defects: RowDefects;
  data: EvaluationData;
  folder: string;
  onStep: (step: number, loss?: number) => void;
  signal: AbortSignal | undefined;
}

const GOOD = 'good';

/**
 * Judges pairs by the detectors that learn from them: trains the published evaluation's segmentation network on good
 * images and defects, one network for all types of a category, and tests it on real images that nothing was trained on.
 *
 * @example
 * const evaluator = await Evaluator.open(await Dataset.open('bottle'), { generated: { ours: 'out/bottle' } });
 * const evaluation = await evaluator.evaluate('out/evaluation');
 */
export class Evaluator {
  readonly protocol: Protocol & { name: string };
  readonly rows: readonly Row[];
  /** The real images that train, and those that test. */
  readonly split: Split;
  readonly #category: string;
  readonly #options: z.output<typeof evaluatorSchema>;

  private constructor(category: string, options: z.output<typeof evaluatorSchema>, rows: Row[], split: Split) {
    const { protocol, iterations, resolution } = options;
    const chosen = PROTOCOLS[protocol];
    this.protocol = {
      name: protocol,
      ...chosen,
      iterations: iterations ?? chosen.iterations,
      resolution: resolution ?? chosen.resolution,
    };
    this.rows = rows;
    this.split = split;
    this.#category = category;
    this.#options = options;
  }

  /**
   * Finds what trains and what tests: the first third of each type and the rest of `dataset`, or all of it and all of
   * `testData`. Throws ERR_DATASET_INVALID where something is missing.
   */
  static async open(dataset: Dataset, options: EvaluatorOptions = {}): Promise<Evaluator> {
    const checked = checkOptions(evaluatorSchema, options);
    const { testData, trainImages, compare, generated, withReal } = checked;
    const tests = testData === undefined ? dataset : await Dataset.open(testData);
    const types = dataset.types.filter((type) => tests.types.includes(type));
    if (types.length === 0) {
      throw new DatasetError(`${tests.folder} has none of the defect types ${dataset.types.join(', ')}`);
    }
    const training = new Map<string, Example[]>();
    const testing = new Map<string, Example[]>();
    for (const type of types) {
      const share = trainImages ?? (testData === undefined ? '1/3' : '1/1');
      const examples = await dataset.trainingExamples(type, share);
      const rest =
        testData === undefined ? (await dataset.examples(type)).slice(examples.length) : await tests.examples(type);
      if (rest.length === 0) throw new DatasetError(`${tests.folder} has no images of ${type} to test on`);
      training.set(type, examples);
      testing.set(type, rest);
    }
    const testingGood = await imagesIfAny(join(tests.folder, 'test', GOOD));
    if (testingGood.length === 0)
      throw new DatasetError(`${tests.folder} has no good images to test on: expected test/good`);
    const rows = await makeRows(compare, generated, withReal, types);
    const trainingGood = await dataset.goodImages();
    return new Evaluator(dataset.category, checked, rows, { training, testing, trainingGood, testingGood });
  }

  /**
   * Trains and tests every row with every seed. Each run's result is kept below `out` and not made again; a run that was
   * cut off goes on from its checkpoint. Deterministic for a seed on one machine.
   */
  async evaluate(out: string, { signal, onProgress }: EvaluateOptions = {}): Promise<Evaluation> {
    const folder = resolve(out);
    const { resolution, iterations } = this.protocol;
    const { seeds, seed: firstSeed, textures } = this.#options;
    const total = this.rows.length * seeds * iterations;
    const data = await EvaluationData.load(this.split, textures, resolution);
    const runs: EvaluationRun[] = [];
    try {
      for (const row of this.rows) {
        const defects = await EvaluationData.loadRow(row, this.split, resolution);
        try {
          for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
            const before = runs.length * iterations;
            const onStep = (step: number, loss?: number) =>
              onProgress?.({ row: row.name, seed, step, loss, done: before + step, total });
            runs.push(await this.#run({ row, seed, defects, data, folder, onStep, signal }));
          }
        } finally {
          defects.pool.dispose();
        }
      }
    } finally {
      data.dispose();
    }
    return this.#describe(runs);
  }

  /** One row with one seed: what an earlier process wrote, else trained and tested. */
  async #run({ row, seed, defects, data, folder, onStep, signal }: RunInput): Promise<EvaluationRun> {
    const { resolution, iterations } = this.protocol;
    const digest = this.#digest(row, seed, defects, data);
    const file = join(folder, 'runs', `${row.name}-seed${seed}-${digest}`);
    if (existsSync(`${file}.json`)) {
      onStep(iterations);
      return JSON.parse(await readFile(`${file}.json`, 'utf8')) as EvaluationRun;
    }
    const start = performance.now();
    const { device, checkpointEvery } = this.#options;
    const checkpoint = `${file}.checkpoint.safetensors`;
    const pools = { good: data.good, textures: data.textures, defects: defects.pool };
    const settings = { seed, device, checkpoint, checkpointEvery, digest, onStep, signal };
    const detector = await trainDetector(row, this.protocol, pools, settings);
    try {
      const test = async (squares: readonly Square[]) => ({
        squares,
        maps: await predictMaps(detector, squares, resolution, { signal }),
      });
      const tested = new Map<string, Tested>();
      for (const [type, squares] of data.testDefects) tested.set(type, await test(squares));
      const scores = await scoreRun(await test(data.testGood), tested, resolution, { signal });
      const isFirst = seed === this.#options.seed;
      const images = isFirst ? await this.#writeMaps(folder, row, tested, { signal }) : [];
      const counts = { defects: defects.pool.size, emptyMasks: defects.emptyMasks };
      const run = { row: row.name, seed, ...counts, seconds: (performance.now() - start) / 1000, ...scores, images };
      await writeFileAtomic(`${file}.json`, `${JSON.stringify(run, undefined, 2)}\n`);
      await removeCheckpoint(checkpoint);
      return run;
    } finally {
      detector.dispose();
    }
  }

  #describe(runs: EvaluationRun[]): Evaluation {
    const { training, testing, trainingGood, testingGood } = this.split;
    const counts = (examples: ReadonlyMap<string, Example[]>, good: readonly string[]) => ({
      ...Object.fromEntries([...examples].map(([type, list]) => [type, list.length])),
      [GOOD]: good.length,
    });
    return {
      category: this.#category,
      types: [...training.keys()],
      rows: this.rows.map(({ name }) => name),
      protocol: this.protocol,
      tested: counts(testing, testingGood),
      training: counts(training, trainingGood),
      runs,
    };
  }

  /** The maps of a run as pictures, 255 for a certain defect, and how good each is. */
  async #writeMaps(
    folder: string,
    row: Row,
    defects: Map<string, Tested>,
    options: TaskOptions,
  ): Promise<TestedImage[]> {
    const size = this.protocol.resolution;
    const images: TestedImage[] = [];
    for (const [type, tested] of defects) {
      for (const [index, { name }] of tested.squares.entries()) {
        const map = join('maps', row.name, type, `${name}.png`);
        const values = tested.maps.subarray(index * size * size, (index + 1) * size * size);
        const data = Uint8Array.from(values, (value) => Math.round(255 * value));
        await writeFileAtomic(join(folder, map), await encodePng({ data, width: size, height: size, channels: 1 }));
        images.push({ type, name, pixelAp: await imageScore(tested, index, size, options), map });
      }
    }
    return images;
  }

  /** Tells runs apart by everything that decides their result. */
  #digest(row: Row, seed: number, defects: RowDefects, data: EvaluationData): string {
    const textures = row.source === 'draem' ? data.textures : undefined;
    const pools = [data.good, defects.pool, textures].map((pool) => pool?.digest);
    const deciding = { protocol: this.protocol, source: row.source, seed, pools, tests: data.testDigest };
    return createHash('sha256').update(JSON.stringify(deciding)).digest('hex').slice(0, 8);
  }
}

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { InvalidOptionError } from '../core/errors.js';
import { writeFileAtomic } from '../core/files.js';
import { readJson } from '../core/json-files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { pathInside } from '../core/path-inside.js';
import { lockFolder } from '../core/write-lock.js';
import type { Dataset, Example } from '../dataset/dataset.js';
import type { ImageSource } from '../dataset/image-source.js';
import { checkOptions } from '../options/check.js';
import { evaluatorSchema } from '../options/evaluation.js';
import type { EvaluatorOptions } from '../options/generated.js';
import type { TaskOptions } from '../run-native.js';
import { type Accuracy, classify } from './classification.js';
import { concurrencyFor, sharingCores } from './concurrency.js';
import { detect } from './detection.js';
import { EvaluationData } from './evaluation-data.js';
import { inLanes } from './lanes.js';
import { removeCheckpoint } from './learner.js';
import { PROTOCOLS, type Protocol } from './protocol.js';
import { measureQuality, type Quality } from './quality.js';
import { type RowDefects, RowPools } from './row-pools.js';
import { makeRows, type Row } from './rows.js';
import { RunFailures } from './run-failures.js';
import type { DetectorScores, RunScores, Scores } from './scores.js';
import { GOOD, type Split, splitOf } from './split.js';
import { type TestedGood, type TestedImage, writeMaps } from './tested-images.js';

export type { EvaluatorOptions };

/** The progress of an evaluation. */
export interface EvaluationProgress {
  row: string;
  seed: number;
  network: 'detector' | 'classifier';
  /** The training step of this network. */
  step: number;
  /** The loss of the step. It is undefined for a result of an earlier process. */
  loss: number | undefined;
  /** The finished training steps of all rows, seeds and networks, including those of earlier processes. */
  done: number;
  /** All training steps of the evaluation. */
  total: number;
}

export type EvaluateOptions = TaskOptions & { onProgress?: (progress: EvaluationProgress) => void };

/** The result of one row with one seed. */
export interface EvaluationRun extends RunScores {
  row: string;
  seed: number;
  /** The number of images of defects that the networks were trained on. */
  defects: number;
  /** The number of images that were left out because their masks are empty. */
  emptyMasks: number;
  seconds: number;
  /** The tested images of defects. */
  images: TestedImage[];
  /** The tested good images. The list is empty in results of an earlier version. */
  good: TestedGood[];
}

/** The results of all runs and the data that they used. */
export interface Evaluation {
  category: string;
  types: readonly string[];
  rows: readonly string[];
  protocol: Protocol & { name: string };
  /** The number of test images of each type, and of good ones. */
  tested: Record<string, number>;
  /** The number of images that were left out of the test because a training image has the same pixels. */
  leftOut: number;
  /** The number of real training images of each type, and of good ones. */
  training: Record<string, number>;
  runs: EvaluationRun[];
  /** The quality of the generated sets. It is empty if no weights were given. */
  quality: Quality[];
}

/** The content of the file that keeps a detector's result. */
interface DetectorResult extends RunScores<DetectorScores> {
  seconds: number;
  images: TestedImage[];
  good?: TestedGood[]; // Results of an earlier version lack it.
}
interface ClassifierResult extends Accuracy {
  seconds: number;
}

/** The input of one run, which is one row with one seed. */
interface RunInput {
  row: Row;
  seed: number;
  defects: RowDefects;
  data: EvaluationData;
  folder: string;
  onStep: (network: EvaluationProgress['network'], step: number, loss?: number) => void;
  signal: AbortSignal | undefined;
  torchThread: number;
}

/** The subfolder of an evaluation's folder that holds the networks' results and checkpoints. */
const RUNS = 'runs';
const resultSchema = z.looseObject({ seconds: z.number('expected a number') });

/** Returns a readable and unique name for the result of a network. */
const runName = ({ name }: Row, network: EvaluationProgress['network'], seed: number, digest: string) =>
  `${name}-${network}-seed${seed}-${digest}`;

/**
 * Measures the value of pairs for training detectors. It trains the segmentation network of the published evaluation on
 * good images and defects, one network for all types of a category. It then tests the network on real images that were
 * not used for training.
 *
 * @example
 * const evaluator = await Evaluator.open(await Dataset.open('bottle'), { pairs: { ours: 'out/bottle' } });
 * const evaluation = await evaluator.evaluate('out/evaluation');
 */
export class Evaluator {
  readonly protocol: Protocol & { name: string };
  readonly rows: readonly Row[];
  /** The real images for training and for the test. */
  readonly split: Split;
  readonly #category: string;
  readonly #options: z.output<typeof evaluatorSchema>;

  private constructor(category: string, options: z.output<typeof evaluatorSchema>, rows: Row[], split: Split) {
    const { protocol, iterations, learningRate, resolution, classifierIterations } = options;
    const chosen = PROTOCOLS[protocol];
    this.protocol = {
      name: protocol,
      ...chosen,
      iterations: iterations ?? chosen.iterations,
      learningRate: learningRate ?? chosen.learningRate,
      resolution: resolution ?? chosen.resolution,
      classifier: { ...chosen.classifier, iterations: classifierIterations ?? chosen.classifier.iterations },
    };
    this.rows = rows;
    this.split = split;
    this.#category = category;
    this.#options = options;
  }

  /**
   * Chooses the images for training and for the test. By default, the first third of each type of `dataset` is for
   * training, and the rest is for the test. With `testData`, all of `dataset` is for training and all of `testData` is
   * for the test.
   * Throws ERR_DATASET_INVALID if images are missing.
   */
  static async open(dataset: Dataset, options: EvaluatorOptions = {}): Promise<Evaluator> {
    const checked = checkOptions(evaluatorSchema, options);
    const { compare, pairs } = checked;
    if (checked.classifierWeights !== undefined && PROTOCOLS[checked.protocol].classifier.channels !== 64) {
      throw new InvalidOptionError(
        "classifierWeights fit the protocol paper alone: torchvision's ResNet-18 is 64 wide",
      );
    }
    if ((checked.lpipsBackbone === undefined) !== (checked.lpipsLinear === undefined)) {
      throw new InvalidOptionError('IC-LPIPS needs both lpipsBackbone and lpipsLinear');
    }
    const split = await splitOf(dataset, checked);
    const rows = await makeRows(compare, pairs, checked, [...split.training.keys()]);
    return new Evaluator(dataset.category, checked, rows, split);
  }

  /** Returns the networks that a row trains for each seed. Synthetic defects of `draem` have no types to classify. */
  #networks(row: Row): EvaluationProgress['network'][] {
    return this.#options.classifier && row.source !== 'draem' ? ['detector', 'classifier'] : ['detector'];
  }

  #iterations(network: EvaluationProgress['network']): number {
    return network === 'detector' ? this.protocol.iterations : this.protocol.classifier.iterations;
  }

  /** The number of training steps of all rows, seeds and networks. */
  get steps(): number {
    const networks = this.rows.flatMap((row) => this.#networks(row));
    return this.#options.seeds * networks.reduce((sum, network) => sum + this.#iterations(network), 0);
  }

  /**
   * Trains and tests every row with every seed. The result of each network is kept below `out` and is not computed
   * again. An interrupted training continues from its checkpoint. Results are deterministic for a seed on one machine
   * with the same concurrency.
   *
   * If a run fails, the others continue. After all have ended, the error of the first failed run is thrown with the
   * number of failed runs. Throws ERR_BUSY if another evaluation writes to `out`.
   */
  async evaluate(out: string, { signal, onProgress }: EvaluateOptions = {}): Promise<Evaluation> {
    const folder = resolve(out);
    const { resolution } = this.protocol;
    const { seeds, seed: firstSeed, textures, classifierWeights } = this.#options;
    await using _lock = await lockFolder(join(folder, RUNS));
    await removePartialFiles(join(folder, RUNS), (name) => /\.(json|checkpoint\.safetensors)$/.test(name));
    const data = await EvaluationData.load(this.split, { textures, classifierWeights }, resolution);
    const pools = new RowPools(this.split, resolution, seeds);
    const inputs = this.rows.flatMap((row) =>
      Array.from({ length: seeds }, (_, index) => ({ row, index, seed: firstSeed + index })),
    );
    const failures = new RunFailures(inputs.length);
    let [done, total] = [0, this.steps];
    try {
      const quality = await this.#quality({ signal }); // Wrong weights must be reported before hours of training.
      const lanes = Math.min(await this.#concurrency(), inputs.length);
      const start = ({ row, index, seed }: (typeof inputs)[number], torchThread: number, stopped: AbortSignal) => {
        let before = 0; // The last reported step of the current network.
        const onStep: RunInput['onStep'] = (network, step, loss) => {
          done += step - before;
          before = step === this.#iterations(network) ? 0 : step;
          failures.callback(() => onProgress?.({ row: row.name, seed, network, step, loss, done, total }));
        };
        return pools.lend(row, index, (defects) =>
          this.#run({ row, seed, defects, data, folder, onStep, signal: stopped, torchThread }),
        );
      };
      const runs = await sharingCores(lanes, () =>
        inLanes(inputs, lanes, signal, (input, lane, stopped) =>
          failures.collect(`${input.row.name} seed ${input.seed}`, stopped, () => start(input, lane, stopped)),
        ),
      );
      return this.#describe(failures.requireAll(runs), quality);
    } finally {
      await pools.dispose();
      data.dispose();
    }
  }

  async #concurrency(): Promise<number> {
    const { concurrency, protocol, device } = this.#options;
    return concurrency ?? (protocol === 'small' ? concurrencyFor(device) : 1);
  }

  async #quality(options: TaskOptions): Promise<Quality[]> {
    const { inceptionWeights: inception, lpipsBackbone: backbone, lpipsLinear: linear, device } = this.#options;
    const lpips = backbone !== undefined && linear !== undefined ? { backbone, linear } : undefined;
    if (inception === undefined && lpips === undefined) return [];
    const { resolution } = this.protocol;
    const measured: Quality[] = [];
    for (const row of this.rows) {
      if (row.generated === undefined || row.real) continue;
      const settings = { ...options, resolution, device };
      measured.push(...(await measureQuality(row, this.split.training, { inception, lpips }, settings)));
    }
    return measured;
  }

  async #run(input: RunInput): Promise<EvaluationRun> {
    const { row, seed, defects, data, folder, signal, torchThread } = input;
    const { device, classifierWeights: weights } = this.#options;
    const common = { row, protocol: this.protocol, defects, data, seed, device };
    const detector = await this.#loadOrCompute<DetectorResult>(input, 'detector', async (training) => {
      const { scores, ...predictions } = await detect(common, training);
      const maps = join('maps', runName(row, 'detector', seed, training.digest));
      return {
        ...scores,
        ...(await writeMaps(folder, maps, predictions, this.protocol.resolution, { signal, torchThread })),
      };
    });
    const classifier = this.#networks(row).includes('classifier')
      ? await this.#loadOrCompute<ClassifierResult>(input, 'classifier', (training) =>
          classify({ ...common, weights }, training),
        )
      : undefined;
    const accurate = (scores: DetectorScores, accuracy: number | undefined): Scores => ({
      ...scores,
      accuracy: accuracy ?? null,
    });
    const types = Object.entries(detector.types).map(([type, scores]) => [
      type,
      accurate(scores, classifier?.types[type]),
    ]);
    return {
      row: row.name,
      seed,
      defects: defects.pool.size,
      emptyMasks: defects.emptyMasks,
      seconds: detector.seconds + (classifier?.seconds ?? 0),
      types: Object.fromEntries(types),
      average: accurate(detector.average, classifier?.average),
      together: accurate(detector.together, classifier?.together),
      images: detector.images,
      good: detector.good ?? [],
    };
  }

  /** Reads the result of a network that an earlier process has written. Otherwise computes and writes it. */
  async #loadOrCompute<T extends { seconds: number }>(
    { row, seed, defects, data, folder, onStep, signal, torchThread }: RunInput,
    network: EvaluationProgress['network'],
    compute: (training: Parameters<typeof detect>[1]) => Promise<Omit<T, 'seconds'>>,
  ): Promise<T> {
    const digest = this.#digest(network, row, seed, defects, data);
    const file = pathInside(folder, RUNS, runName(row, network, seed, digest));
    if (existsSync(`${file}.json`)) {
      onStep(network, this.#iterations(network));
      return (await readJson(`${file}.json`, resultSchema)) as unknown as T;
    }
    const start = performance.now();
    const checkpoint = `${file}.checkpoint.safetensors`;
    const { checkpointEvery } = this.#options;
    const result = await compute({
      ...{ checkpoint, checkpointEvery, digest, signal, torchThread },
      onStep: (step, loss) => onStep(network, step, loss),
    });
    const timed = { seconds: (performance.now() - start) / 1000, ...result } as T;
    await writeFileAtomic(`${file}.json`, `${JSON.stringify(timed, undefined, 2)}\n`);
    await removeCheckpoint(checkpoint);
    return timed;
  }

  #describe(runs: EvaluationRun[], quality: Quality[]): Evaluation {
    const { training, testing, trainingGood, testingGood, leftOut } = this.split;
    const counts = (examples: ReadonlyMap<string, Example[]>, good: readonly ImageSource[]) => ({
      ...Object.fromEntries([...examples].map(([type, list]) => [type, list.length])),
      [GOOD]: good.length,
    });
    return {
      category: this.#category,
      types: [...training.keys()],
      rows: this.rows.map(({ name }) => name),
      protocol: this.protocol,
      tested: counts(testing, testingGood),
      leftOut,
      training: counts(training, trainingGood),
      runs,
      quality,
    };
  }

  /** Returns a digest of everything that affects a network's result. */
  #digest(
    network: EvaluationProgress['network'],
    row: Row,
    seed: number,
    defects: RowDefects,
    data: EvaluationData,
  ): string {
    const { classifier, ...detector } = this.protocol;
    const { resolution, flips } = detector;
    const own = network === 'detector' ? detector : { ...classifier, resolution, flips, weights: data.backboneDigest };
    const textures = row.source === 'draem' ? data.textures : undefined;
    const pools = [data.good, defects.pool, textures].map((pool) => pool?.digest);
    const inputs = { network, own, source: row.source, seed, pools, tests: data.testDigest };
    return createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 8);
  }
}

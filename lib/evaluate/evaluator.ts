import { join, resolve } from 'node:path';
import type { z } from 'zod';
import { InvalidOptionError } from '../core/errors.js';
import { removePartialFiles } from '../core/partial-files.js';
import { lockFolder } from '../core/write-lock.js';
import type { Dataset, Example } from '../dataset/dataset.js';
import type { ImageSource } from '../dataset/image-source.js';
import { checkOptions } from '../options/check.js';
import { evaluatorSchema } from '../options/evaluation.js';
import type { EvaluatorOptions } from '../options/generated.js';
import type { TaskOptions } from '../run-native.js';
import { concurrencyFor, sharingCores } from './concurrency.js';
import type { EvaluateOptions, Evaluation, EvaluationRun } from './evaluation.js';
import { EvaluationData } from './evaluation-data.js';
import { inLanes } from './lanes.js';
import { doRun, iterationsOf, networksOf, RUNS, type RunInput } from './network-run.js';
import { knowsNoDefects, type PlannedRun, planRuns, trainingOf } from './planned-runs.js';
import { type Protocol, protocolOf } from './protocol.js';
import { measureQuality, type Quality } from './quality.js';
import { makeRows, type Row } from './rows.js';
import { RunFailures } from './run-failures.js';
import { GOOD, type Split, splitOf } from './split.js';
import { TrainingSets } from './training-sets.js';

export type { EvaluatorOptions };

/** Names a run in errors. */
const nameOf = ({ row, seed, shots }: PlannedRun) =>
  `${row.name}${shots === undefined ? '' : ` with ${shots} shots`} seed ${seed}`;

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
  readonly #runs: readonly PlannedRun[];

  private constructor(category: string, options: z.output<typeof evaluatorSchema>, rows: Row[], split: Split) {
    this.protocol = protocolOf(options);
    this.rows = rows;
    this.split = split;
    this.#category = category;
    this.#options = options;
    this.#runs = planRuns(rows, split, options);
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
    if (checked.classifierWeights !== undefined && protocolOf(checked).classifier.channels !== 64) {
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

  /** The number of training steps of all rows, seeds and networks. */
  get steps(): number {
    const networks = this.#runs.flatMap(({ row }) => networksOf(row, this.#options));
    return networks.reduce((sum, network) => sum + iterationsOf(network, this.protocol), 0);
  }

  /** Returns the real images of each type that a run with this seed may know. They are fewer with `shots`. */
  trainingOf(seed: number, shots?: number): Split['training'] {
    return trainingOf(this.split, seed, shots);
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
    await using _lock = await lockFolder(join(folder, RUNS));
    await removePartialFiles(join(folder, RUNS), (name) => /\.(json|checkpoint\.safetensors)$/.test(name));
    const runs = this.#runs;
    const data = await EvaluationData.load(this.split, this.#options, this.protocol);
    const sets = new TrainingSets(runs, this.split.trainingGood, this.protocol);
    const failures = new RunFailures(runs.length);
    let [done, total] = [0, this.steps];
    try {
      const quality = await this.#quality({ signal }); // Wrong weights must be reported before hours of training.
      const lanes = Math.min(await this.#concurrency(), runs.length);
      const start = (run: PlannedRun, torchThread: number, stopped: AbortSignal) => {
        let before = 0; // The last reported step of the current network.
        const { row, seed, shots } = run;
        const onStep: RunInput['onStep'] = (network, step, loss) => {
          done += step - before;
          before = step === iterationsOf(network, this.protocol) ? 0 : step;
          failures.callback(() => onProgress?.({ row: row.name, seed, shots, network, step, loss, done, total }));
        };
        const common = { data, folder, protocol: this.protocol, settings: this.#options, onStep, torchThread };
        return sets.lend(run, (set) => doRun({ ...run, ...common, set, signal: stopped }));
      };
      const results = await sharingCores(lanes, () =>
        inLanes(runs, lanes, signal, (run, lane, stopped) =>
          failures.collect(nameOf(run), stopped, () => start(run, lane, stopped)),
        ),
      );
      return this.#describe(failures.requireAll(results), quality);
    } finally {
      await sets.dispose();
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

  /** Repeats the runs of rows that learn from good images alone for the other numbers of shots. */
  #withAllShots(runs: EvaluationRun[]): EvaluationRun[] {
    const { shots = [] } = this.#options;
    const alone = new Set(this.rows.filter(knowsNoDefects).map(({ name }) => name));
    const repeated = runs.filter(({ row }) => alone.has(row));
    return [...runs, ...shots.slice(1).flatMap((count) => repeated.map((run) => ({ ...run, shots: count })))];
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
      ...(this.#options.shots && { shots: this.#options.shots }),
      protocol: this.protocol,
      tested: counts(testing, testingGood),
      leftOut,
      training: counts(training, trainingGood),
      runs: this.#withAllShots(runs),
      quality,
    };
  }
}

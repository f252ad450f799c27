import { join, resolve } from 'node:path';
import type { z } from 'zod';
import { DatasetError, InvalidOptionError } from '../core/errors.js';
import { fileDigest } from '../core/files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { lockFolder } from '../core/write-lock.js';
import { Dataset, type Example } from '../dataset/dataset.js';
import type { ImageSource } from '../dataset/image-source.js';
import { type Backbone, backbonesOf, comparisonBackbone } from '../detect/backbone.js';
import { DETECTORS, requireSides } from '../detect/kinds.js';
import { checkOptions } from '../options/check.js';
import { evaluatorSchema } from '../options/evaluation.js';
import type { EvaluatorOptions } from '../options/generated.js';
import type { DetectorName } from '../options/names.js';
import type { TaskOptions } from '../run-native.js';
import { nameInTables } from './best-round.js';
import { concurrencyFor, sharingCores } from './concurrency.js';
import type { EvaluateOptions, Evaluation, EvaluationRun } from './evaluation.js';
import { EvaluationData } from './evaluation-data.js';
import { inLanes } from './lanes.js';
import { type MapsRow, openMapsRows, scoreMaps } from './maps-row.js';
import { doRun, iterationsOf, networksOf, RUNS, type RunInput } from './network-run.js';
import { type NetworkUse, networksUsed } from './networks-used.js';
import { type PlannedRun, planRuns, trainingOf } from './planned-runs.js';
import { type Protocol, protocolOf } from './protocol.js';
import { type FeatureNetwork, measuredSets, measureQuality, type Quality } from './quality.js';
import { knowsNoDefects, makeRows, type Row } from './rows.js';
import { RunFailures } from './run-failures.js';
import { GOOD, type Split, splitOf } from './split.js';
import { TrainingSets } from './training-sets.js';
import { refuseUnread } from './unread-options.js';

export type { EvaluatorOptions };

const kindsOf = (names: readonly DetectorName[]) => [...new Set(names)].map((name) => DETECTORS[name]);

/** Names a run in errors. */
const nameOf = ({ row, detector, seed, shots }: PlannedRun) =>
  `${detector.name} on ${row.name}${shots === undefined ? '' : ` with ${shots} shots`} seed ${seed}`;

/**
 * Measures the value of pairs for training detectors. It fits detectors on good images and defects, one for all types of
 * a category: by default the segmentation network of the published evaluation. It then tests them on real images that
 * were not used for training.
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
  readonly #maps: readonly MapsRow[];
  readonly #backbones: ReadonlyMap<string, Backbone>;

  private constructor(
    category: string,
    options: z.output<typeof evaluatorSchema>,
    rows: Row[],
    split: Split,
    maps: MapsRow[],
    backbones: ReadonlyMap<string, Backbone>,
  ) {
    this.protocol = protocolOf(options);
    this.rows = rows;
    this.split = split;
    this.#category = category;
    this.#options = options;
    this.#runs = planRuns(rows, split, { ...options, detectors: kindsOf(options.detectors) });
    this.#maps = maps;
    this.#backbones = backbones;
  }

  /**
   * Chooses the images for training and for the test. By default, the first third of each type of `dataset` is for
   * training, and the rest is for the test. With `testData`, all of `dataset` is for training and all of `testData` is
   * for the test.
   * Throws ERR_DATASET_INVALID if images are missing, and ERR_INVALID_OPTION if the weights of a backbone are missing or
   * if nothing reads an option.
   */
  static async open(dataset: Dataset, options: EvaluatorOptions = {}): Promise<Evaluator> {
    const checked = checkOptions(evaluatorSchema, options);
    requireSides(kindsOf(checked.detectors), protocolOf(checked).resolution);
    if (checked.classifierWeights !== undefined && protocolOf(checked).classifier.channels !== 64) {
      throw new InvalidOptionError(
        "classifierWeights fit the protocol paper alone: torchvision's ResNet-18 is 64 wide",
      );
    }
    if ((checked.lpipsBackbone === undefined) !== (checked.lpipsLinear === undefined)) {
      throw new InvalidOptionError('IC-LPIPS needs both lpipsBackbone and lpipsLinear');
    }
    if (checked.bestEpoch && checked.detectors.some((name) => name !== 'unet')) {
      throw new InvalidOptionError(
        `Expected the detector unet alone with bestEpoch but received ${checked.detectors.join(', ')}: only the published evaluation of unet chooses its round on the test images`,
      );
    }
    const comparesPairs = Object.keys(checked.pairs).length > 0 && checked.inceptionWeights === undefined;
    const backbones = await backbonesOf(kindsOf(checked.detectors), checked, comparesPairs);
    const split = await splitOf(dataset, checked);
    const rows = await makeRows(checked, kindsOf(checked.detectors), [...split.training.keys()]);
    if (rows.length === 0 && Object.keys(checked.maps).length === 0) {
      throw new InvalidOptionError('There is nothing to evaluate: name a baseline, generated pairs or maps');
    }
    refuseUnread(checked, kindsOf(checked.detectors), rows);
    const maps = await openMapsRows(
      checked.maps,
      rows.map(({ name }) => name),
      {
        ...{ split, seeds: checked.seeds, protocol: protocolOf(checked) },
        tests: checked.testData === undefined ? dataset : await Dataset.open(checked.testData),
      },
    );
    return new Evaluator(dataset.category, checked, rows, split, maps, backbones);
  }

  /** The number of training steps of all rows, seeds and networks. */
  get steps(): number {
    const counts = this.#runs.flatMap((run) =>
      networksOf(run).map((network) => iterationsOf(network, run, this.protocol)),
    );
    return counts.reduce((sum, count) => sum + count, 0);
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
    const data = await EvaluationData.load(this.split, this.#options, this.#backbones, this.protocol);
    const sets = new TrainingSets(runs, this.split, this.protocol);
    const failures = new RunFailures(runs.length);
    let [done, doneBefore, total] = [0, 0, this.steps];
    try {
      const features = await this.#featureNetwork();
      const quality = await this.#quality(features, { signal }); // Wrong weights must be reported before hours of training.
      const { seed, shots } = this.#options;
      const maps = { split: this.split, protocol: this.protocol, folder, seed, shots: shots?.[0] };
      const scored = await scoreMaps(this.#maps, maps, { signal });
      const lanes = Math.max(1, Math.min(await this.#concurrency(), runs.length));
      const start = (run: PlannedRun, torchThread: number, stopped: AbortSignal) => {
        let before = 0; // The last reported step of the current network.
        const { row, detector, seed, shots } = run;
        const onStep: RunInput['onStep'] = (network, step, { loss, earlier = 0 }) => {
          done += step - before;
          doneBefore += earlier;
          before = step === iterationsOf(network, run, this.protocol) ? 0 : step;
          const at = { row: row.name, detector: detector.name, seed, shots, network };
          failures.callback(() => onProgress?.({ ...at, step, loss, done, doneBefore, total }));
        };
        const common = { data, folder, protocol: this.protocol, settings: this.#options, onStep, torchThread };
        return sets.lend(run, (set) => doRun({ ...run, ...common, set, concurrency: lanes, signal: stopped }));
      };
      const results = await sharingCores(lanes, () =>
        inLanes(runs, lanes, signal, (run, lane, stopped) =>
          failures.collect(nameOf(run), stopped, () => start(run, lane, stopped)),
        ),
      );
      return this.#describe(
        [...failures.requireAll(results), ...scored],
        quality,
        networksUsed(
          data,
          runs.some(({ classifies }) => classifies),
          quality,
          features,
        ),
      );
    } finally {
      await sets.dispose();
      data.dispose();
    }
  }

  async #concurrency(): Promise<number> {
    const { concurrency, protocol, device } = this.#options;
    return concurrency ?? (protocol === 'small' ? concurrencyFor(device) : 1);
  }

  /** Returns the network that generated pairs are compared by, if there is one. */
  async #featureNetwork(): Promise<FeatureNetwork | undefined> {
    const { inceptionWeights: file } = this.#options;
    if (file === undefined) return comparisonBackbone(this.#options);
    return { name: 'inception-v3', file, digest: await fileDigest(file) };
  }

  async #quality(features: FeatureNetwork | undefined, options: TaskOptions): Promise<Quality[]> {
    const { inceptionWeights: inception, lpipsBackbone: backbone, lpipsLinear: linear, device, shots } = this.#options;
    const lpips = backbone !== undefined && linear !== undefined ? { backbone, linear } : undefined;
    if (features === undefined && lpips === undefined) return [];
    const { resolution } = this.protocol;
    const networks = { features, inception, lpips };
    const settings = { ...options, resolution, device };
    const measured: Quality[] = [];
    for (const row of this.rows) {
      if (row.generated === undefined || row.real) continue;
      try {
        for (const sets of measuredSets(row, shots)) {
          measured.push(...(await measureQuality(sets, this.split.training, this.split.groups, networks, settings)));
        }
      } catch (error) {
        // The runs of this row read the same image, and tell of it when the other rows are done.
        if (!(error instanceof DatasetError)) throw error;
      }
    }
    return measured;
  }

  /** Repeats the runs of maps, and of rows that learn from good images alone, for the other numbers of shots. */
  #withAllShots(runs: EvaluationRun[]): EvaluationRun[] {
    const { shots = [] } = this.#options;
    const alone = new Set([...this.rows.filter(knowsNoDefects), ...this.#maps].map(({ name }) => name));
    const repeated = runs.filter(({ row }) => alone.has(row));
    return [...runs, ...shots.slice(1).flatMap((count) => repeated.map((run) => ({ ...run, shots: count })))];
  }

  #describe(runs: EvaluationRun[], quality: Quality[], networks: NetworkUse[]): Evaluation {
    const { training, testing, trainingGood, testingGood, leftOut, synthetic } = this.split;
    const counts = (examples: ReadonlyMap<string, Example[]>, good: readonly ImageSource[]) => ({
      ...Object.fromEntries([...examples].map(([type, list]) => [type, list.length])),
      [GOOD]: good.length,
    });
    return {
      category: this.#category,
      types: [...training.keys()],
      rows: [...this.rows, ...this.#maps].map(({ name }) => name),
      detectors: kindsOf(this.#options.detectors).map(({ name }) =>
        nameInTables(name, this.#options.bestEpoch, this.protocol.iterations),
      ),
      bestEpoch: this.#options.bestEpoch,
      maps: this.#maps.map(({ name }) => name),
      ...(this.#options.shots && { shots: this.#options.shots }),
      protocol: this.protocol,
      tested: counts(testing, testingGood),
      ...{ leftOut, synthetic },
      training: counts(training, trainingGood),
      runs: this.#withAllShots(runs),
      quality,
      networks,
    };
  }
}

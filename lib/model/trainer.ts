import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { NativeStep, NativeTrainer } from '../addon-types.js';
import { AbortedError, DualAnoDiffError, ModelError, TrainingError } from '../core/errors.js';
import { fileDigest } from '../core/files.js';
import type { WriteLock } from '../core/write-lock.js';
import { Dataset, digestOf, type LoadedExample } from '../dataset/dataset.js';
import { type Pair, toPair } from '../dataset/pair.js';
import { clearerFill } from '../dataset/part-fill.js';
import { checkOptions, given, taskShape } from '../options/check.js';
import type { TrainerOptions, TrainSettings } from '../options/generated.js';
import { adapterFile, trainerSchema, trainSchema } from '../options/training.js';
import { runNative, type TaskOptions } from '../run-native.js';
import { Adapter } from './adapter.js';
import { checkAdapterFile, numberFrom } from './adapter-info.js';
import { NO_ADAPTER } from './base-defaults.js';
import type { BaseModel } from './base-model.js';
import { RunFiles, requireSameSettings } from './checkpoints.js';
import { foregroundFinder, withForegroundSource } from './foreground.js';
import { warnOfLongPrompts } from './prompts.js';
import { nativeSampling, resolveSampling } from './sampling-settings.js';
import { fillPrompt, metadataOf, type ResolvedTraining } from './training-settings.js';

/** Options of {@link Trainer.train}. */
export type TrainOptions = TrainSettings & TaskOptions;

/** Options of {@link Trainer.preview}. */
export type PreviewOptions = TaskOptions & { steps?: number; guidanceScale?: number; seed?: number };

/** One optimiser update. */
export interface TrainStep extends NativeStep {
  /** Of the whole run. */
  steps: number;
  /** Wall time of this step. */
  seconds: number;
}

/**
 * Trains one adapter on one defect type.
 *
 * @example
 * const trainer = new Trainer(model, { type: 'crack' });
 * for await (const step of trainer.train(dataset, { steps: 5000 })) console.log(step.step, step.loss);
 * await trainer.save('crack.safetensors');
 */
export class Trainer {
  #settings: Readonly<ResolvedTraining>;
  /** The training images, once `train` has begun. */
  examples: readonly LoadedExample[] = [];
  readonly #model: BaseModel;
  #handle: NativeTrainer | undefined;
  #position = 0;
  #initialDigest = NO_ADAPTER;
  #busy = false;
  /** The adapter of a run that was found finished. */
  #finished: string | undefined;
  /** On the files of the run. */
  #lock: WriteLock | undefined;
  /** The step up to which the run's files hold the work. */
  #kept = 0;

  /** Throws ERR_INVALID_OPTION. What is not given comes from the model's defaults, else from the paper. */
  constructor(model: BaseModel, options: TrainerOptions) {
    const chosen = checkOptions(trainerSchema, options);
    this.#model = model;
    const { steps: _, ...defaults } = model.defaults.training;
    this.#settings = { ...defaults, ...given(chosen) };
  }

  /** What the trainer works with, defaults filled in; once training has begun, the names in the prompts too. */
  get settings(): Readonly<ResolvedTraining> {
    return this.#settings;
  }

  /**
   * Trains up to `steps` steps in all, yielding each. With `out`, a line per step goes to `<out>.jsonl` and checkpoints
   * are written beside it; `resume` continues from the newest, and starts afresh where there is none. An abort, and a
   * loop that is left early, write a checkpoint first. The trainer has these files to itself until `save` or `dispose`.
   *
   * In float16 the loss is scaled; a step whose gradients overflow changes no weights and is counted in `skippedSteps`.
   *
   * Throws ERR_DATASET_INVALID, ERR_CHECKPOINT_MISMATCH naming the settings that differ, ERR_NON_FINITE where the results of the
   * base's encoder are not finite, ERR_NON_FINITE_LOSS with the last checkpoint kept, ERR_OUT_OF_MEMORY, ERR_BUSY where another
   * process trains into `out`. After any error of a step the trainer is as it was before that step.
   */
  async *train(dataset: Dataset, options: TrainOptions = {}): AsyncGenerator<TrainStep, void, undefined> {
    const {
      steps = this.#model.defaults.training.steps,
      out,
      checkpointEvery,
      resume,
      signal,
    } = checkOptions(trainSchema.extend(taskShape), options);
    if (this.#busy) throw new DualAnoDiffError('The trainer is busy with another run', 'ERR_BUSY');
    this.#busy = true;
    const files = out === undefined ? undefined : new RunFiles(resolve(out));
    let isComplete = false;
    try {
      await this.#take(files);
      await this.#prepare(dataset, { signal });
      this.#finished = files && (await this.#begin(files, resume, steps)) ? files.out : undefined;
      if (this.#finished === undefined) yield* this.#steps(steps, files, checkpointEvery, signal);
      isComplete = true;
    } finally {
      this.#busy = false;
      if (!isComplete) await this.#letGo(); // another trainer may go on where this one stopped
    }
  }

  /**
   * Trains to the end. However it is left, no step that has been done is lost, but for those since the last checkpoint
   * where the loss is not finite: the weights may be spoilt already.
   */
  async *#steps(
    steps: number,
    files: RunFiles | undefined,
    checkpointEvery: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<TrainStep, void, undefined> {
    const isUnsaved = () => this.#handle !== undefined && this.#position > this.#kept;
    let hasFailed = false;
    try {
      while (this.#position < steps) {
        const step = await this.#step(steps, signal);
        await files?.appendLog(step);
        if (files && (step.step % checkpointEvery === 0 || step.step === steps)) await this.#checkpoint(files);
        yield step;
      }
    } catch (error) {
      hasFailed = true;
      if (files && isUnsaved() && !(error instanceof TrainingError)) {
        const isAborted = error instanceof AbortedError || signal?.aborted; // the signal's reason may be any error
        await this.#checkpoint(files).catch((failure) => {
          if (isAborted) throw failure; // else the first error says what is wrong
        });
      }
      throw error;
    } finally {
      // The caller left the loop: with `break`, or by an error of its own.
      if (files && !hasFailed && isUnsaved()) await this.#checkpoint(files);
    }
  }

  /** The adapter as it is now, on the CPU and in float32. Training goes on without changing it. */
  async adapter(): Promise<Adapter> {
    const handle = this.#started();
    const metadata = { ...this.#settingsText(), steps: String(this.#position), base: this.#model.folder };
    return Adapter.of(await runNative({}, (_, task) => handle.adapter(metadata, task)), 'The adapter in training');
  }

  /**
   * Writes the adapter; the checkpoints of a run with this `out` are no longer needed and go. The file of a run that
   * `train` found finished is left as it is: pairs that were drawn from it know it by its digest.
   */
  async save(file: string): Promise<void> {
    this.#started();
    const path = resolve(checkOptions(adapterFile(), file));
    const files = new RunFiles(path);
    const isOfRun = this.#lock?.place === path;
    const lock = isOfRun ? undefined : await files.lock(); // the run's own files stay locked
    try {
      if (path !== this.#finished || !existsSync(path)) {
        await using adapter = await this.adapter();
        await adapter.save(path);
      }
      await files.removeCheckpoints();
      if (isOfRun) this.#kept = this.#position;
    } finally {
      await lock?.release();
      if (isOfRun && !this.#busy) await this.#letGo();
    }
  }

  /** A pair from the adapter as it is now, decoded by TAESD where the model has one; training goes on as if it had not been asked for. */
  async preview({ signal, ...options }: PreviewOptions = {}): Promise<Pair> {
    const decoder = this.#model.info.fastDecoder ? 'taesd' : 'vae';
    const handle = this.#started();
    const native = nativeSampling(resolveSampling({ decoder, ...options }, this.#model, this.settings), false);
    const [pair] = await runNative({ signal }, (_, task) => handle.preview(native, [0], task));
    return toPair(pair as NonNullable<typeof pair>, native.width, native.seed);
  }

  /** Frees adapter and optimiser. May be called twice. */
  async dispose(): Promise<void> {
    this.#handle?.dispose();
    this.#handle = undefined;
    await this.#letGo();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** Makes sure that nobody else writes to a run's files. */
  async #take(files: RunFiles | undefined): Promise<void> {
    if (this.#lock?.place === files?.out) return;
    await this.#letGo();
    this.#lock = await files?.lock();
  }

  async #letGo(): Promise<void> {
    const lock = this.#lock;
    this.#lock = undefined;
    await lock?.release();
  }

  #started(): NativeTrainer {
    if (!this.#handle) throw new DualAnoDiffError('The trainer has not begun, or is disposed', 'ERR_DISPOSED');
    return this.#handle;
  }

  async #prepare(dataset: Dataset, { signal }: TaskOptions): Promise<void> {
    if (this.#handle) return;
    const { globalPrompt, anomalyPrompt } = this.#settings;
    this.#settings = {
      ...this.#settings,
      globalPrompt: fillPrompt(globalPrompt, dataset.category, this.#settings.type),
      anomalyPrompt: fillPrompt(anomalyPrompt, dataset.category, this.#settings.type),
    };
    const { type, trainImages, resolution, fit, foregroundMasks, foregroundWeights, ...rest } = this.#settings;
    const examples = await dataset.trainingExamples(type, trainImages);
    const needsForegrounds = rest.background !== 'off';
    this.examples = needsForegrounds
      ? await withForegroundSource(given({ foregroundMasks, foregroundWeights }), this.#model.info.device, (source) =>
          Dataset.load(examples, resolution, fit, foregroundFinder(source)),
        )
      : await Dataset.load(examples, resolution, fit);
    const partFill = rest.partFill === 'auto' ? clearerFill(this.examples) : rest.partFill;
    this.#settings = { ...this.#settings, partFill };
    const pixels = Buffer.concat(this.examples.map((example) => example.pixels.data));
    const masks = Buffer.concat(this.examples.map((example) => example.maskPixels.data));
    const foregrounds = needsForegrounds
      ? Buffer.concat(
          this.examples.flatMap(({ foregroundPixels }) => (foregroundPixels ? [foregroundPixels.data] : [])),
        )
      : undefined;
    const initialAdapter = rest.initialAdapter === NO_ADAPTER ? '' : resolve(rest.initialAdapter);
    if (initialAdapter) {
      await checkAdapterFile(initialAdapter);
      this.#initialDigest = await fileDigest(initialAdapter);
    }
    const { native: model } = this.#model;
    const size = { width: resolution, height: resolution };
    const native = { ...rest, partFill, initialAdapter, count: this.examples.length, ...size };
    await warnOfLongPrompts(model, [
      ['global prompt', rest.globalPrompt],
      ['anomaly prompt', rest.anomalyPrompt],
    ]);
    this.#handle = await runNative({ signal }, (engine, task) =>
      engine.createTrainer(model, native, pixels, masks, foregrounds, task),
    );
  }

  /** Resumes or starts the run's files; true where the run is finished already. */
  async #begin(files: RunFiles, resume: boolean, steps: number): Promise<boolean> {
    const handle = this.#started();
    await files.removePartial();
    const [newest] = await files.checkpoints();
    if (newest && !resume) {
      throw new TrainingError(
        `An earlier run left the checkpoint ${newest.file}: resume it, or remove it to start afresh.`,
        'ERR_CHECKPOINT_MISMATCH',
      );
    }
    const finished = resume && !newest && existsSync(files.out);
    const source = newest?.file ?? (finished ? files.out : undefined);
    if (source !== undefined) {
      const saved = await runNative({}, (engine, task) => engine.readMetadata(source, task));
      const { fingerprint, legacyFingerprint } = this.#model.info;
      if (saved.base_fingerprint === legacyFingerprint) saved.base_fingerprint = fingerprint; // of version 0.1.0
      requireSameSettings(source, saved, this.#settingsText());
      const done = numberFrom(saved.steps ?? '');
      if (finished && !(Number.isInteger(done) && done > 0)) {
        throw new ModelError(
          `The metadata of ${source}: expected a number above 0 for steps but found ${saved.steps ?? 'nothing'}`,
          'ERR_WEIGHTS_INVALID',
        );
      }
      if (finished && done >= steps) {
        this.#position = done;
        await runNative({}, (_, task) => handle.loadFinished(source, this.#position, task));
        return true;
      }
    }
    if (newest) this.#position = await runNative({}, (_, task) => handle.loadCheckpoint(newest.file, task));
    this.#kept = newest ? this.#position : 0;
    await files.rewindLog(this.#position);
    return false;
  }

  async #step(steps: number, signal: AbortSignal | undefined): Promise<TrainStep> {
    const handle = this.#started();
    const start = performance.now();
    const step = await runNative({ signal }, (_, task) => handle.step(task));
    this.#position = step.step;
    return { ...step, steps, seconds: (performance.now() - start) / 1000 };
  }

  async #checkpoint(files: RunFiles): Promise<void> {
    const handle = this.#started();
    const path = files.checkpoint(this.#position);
    await runNative({}, (_, task) => handle.saveCheckpoint(path, this.#settingsText(), task));
    this.#kept = this.#position;
    await files.prune();
  }

  /** Everything that decides the result, as the metadata of checkpoints and adapters. */
  #settingsText(): Record<string, string> {
    return {
      ...metadataOf(this.settings),
      initial_adapter: this.#initialDigest,
      base_fingerprint: this.#model.info.fingerprint,
      dtype: this.#model.info.dtype,
      training_images: digestOf(this.examples as LoadedExample[]),
    };
  }
}

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { NativeTrainer } from '../addon-types.js';
import { AbortedError, DualAnoDiffError, TrainingError } from '../core/errors.js';
import { fileDigest } from '../core/files.js';
import type { WriteLock } from '../core/write-lock.js';
import { type Dataset, requireDataset } from '../dataset/dataset.js';
import { type Pair, toPair } from '../dataset/pair.js';
import type { TrainingImage } from '../dataset/training-region.js';
import { checkOptions, checkValue, given } from '../options/check.js';
import type { TrainerOptions } from '../options/generated.js';
import { adapterFile, trainerSchema } from '../options/training.js';
import { runNative } from '../run-native.js';
import { Adapter } from './adapter.js';
import { checkAdapterFile } from './adapter-info.js';
import { NO_ADAPTER } from './base-defaults.js';
import type { BaseModel } from './base-model.js';
import { RunFiles } from './checkpoints.js';
import { namedPrompts, warnOfLongPrompts } from './prompts.js';
import { startOfRun } from './resume.js';
import { nativeSampling, resolveSampling } from './sampling-settings.js';
import { type PreviewOptions, type TrainOptions, type TrainStep, trainCallSchema } from './train-options.js';
import { nativeRegions, type TrainingInputs, trainingInputs } from './training-inputs.js';
import { nativeTraining, type ResolvedTraining } from './training-settings.js';
import type { TypePrompts } from './type-prompts.js';

/**
 * Trains one adapter on one or several defect types.
 *
 * @example
 * const trainer = new Trainer(model, { types: ['crack'] });
 * for await (const step of trainer.train(dataset, { steps: 5000 })) console.log(step.step, step.loss);
 * await trainer.save('crack.safetensors');
 */
export class Trainer {
  #settings: Readonly<ResolvedTraining>;
  readonly #model: BaseModel;
  #handle: NativeTrainer | undefined;
  #position = 0;
  #initialDigest = NO_ADAPTER;
  /** The images themselves are with the engine. */
  #inputs: TrainingInputs | undefined;
  #busy = false;
  /** This is the adapter file of a run that `train` found finished. */
  #finished: string | undefined;
  /** The trainer holds this lock on the files of its run. */
  #lock: WriteLock | undefined;
  /** The files of the run hold the result of this step. */
  #savedStep = 0;

  /** The model's defaults, or else the paper's, replace settings that are not given. Throws ERR_INVALID_OPTION. */
  constructor(model: BaseModel, options: TrainerOptions) {
    const chosen = checkOptions(trainerSchema, options);
    this.#model = model;
    const { steps: _, ...defaults } = model.defaults.training;
    this.#settings = { ...defaults, ...given(chosen) };
  }

  /**
   * Returns the settings with their defaults. Once training has begun, `window` and `partFill` are those that it uses.
   */
  get settings(): Readonly<ResolvedTraining> {
    return this.#settings;
  }

  /** Returns squares that show the training images. The list is empty until `train` begins. */
  get examples(): readonly TrainingImage[] {
    return this.#inputs?.squares ?? [];
  }

  /** Returns the prompts of each type. The list is empty until `train` begins. */
  get prompts(): readonly TypePrompts[] {
    return this.#inputs?.prompts ?? [];
  }

  /**
   * Trains up to `steps` steps in all and yields each step. With `out`, each step adds a line to `<out>.jsonl`, and
   * checkpoints are written beside it. `resume` continues from the newest checkpoint, or begins a new run if there is
   * none. Without `resume`, an adapter or a checkpoint of an earlier run is an error. After an abort, or if the caller
   * leaves the loop early, a checkpoint is written first. The trainer locks these files until `save` or `dispose`.
   *
   * In float16 the loss is scaled. A step whose gradients overflow changes no weights and is counted in `skippedSteps`.
   *
   * Throws ERR_DATASET_INVALID, ERR_CHECKPOINT_MISMATCH with the settings that differ or with the file of an earlier
   * run, ERR_NON_FINITE if the results of the base's encoder are not finite, ERR_NON_FINITE_LOSS, which keeps the last
   * checkpoint, ERR_OUT_OF_MEMORY, and ERR_BUSY if another process trains into `out`. If a step fails, the trainer keeps
   * the state before that step.
   */
  async *train(dataset: Dataset, options: TrainOptions = {}): AsyncGenerator<TrainStep, void, undefined> {
    const {
      steps = this.#model.defaults.training.steps,
      out,
      checkpointEvery,
      resume,
      signal,
      onNote,
    } = checkOptions(trainCallSchema, options);
    requireDataset(dataset);
    if (this.#busy) throw new DualAnoDiffError('The trainer is busy with another run', 'ERR_BUSY');
    this.#busy = true;
    const files = out === undefined ? undefined : new RunFiles(resolve(out));
    let isComplete = false;
    try {
      await this.#lockFiles(files);
      await this.#prepare(dataset, signal, onNote);
      this.#finished = files && (await this.#begin(files, resume, steps)) ? files.out : undefined;
      if (this.#finished === undefined) yield* this.#steps(steps, files, checkpointEvery, signal);
      isComplete = true;
    } finally {
      this.#busy = false;
      if (!isComplete) await this.#unlock(); // Another trainer may continue the run.
    }
  }

  /**
   * Trains to the end. On an error or an early exit, a checkpoint saves every finished step. Only after a loss that is
   * not finite are the steps since the last checkpoint dropped, because the weights may be damaged.
   */
  async *#steps(
    steps: number,
    files: RunFiles | undefined,
    checkpointEvery: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<TrainStep, void, undefined> {
    const isUnsaved = () => this.#handle !== undefined && this.#position > this.#savedStep;
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
        const isAborted = error instanceof AbortedError || signal?.aborted; // The signal's reason may be any error.
        await this.#checkpoint(files).catch((failure) => {
          if (isAborted) throw failure; // Otherwise the first error is the cause, so it is thrown below.
        });
      }
      throw error;
    } finally {
      // The caller has left the loop, with `break` or by an error of its own.
      if (files && !hasFailed && isUnsaved()) await this.#checkpoint(files);
    }
  }

  /** Returns a copy of the current adapter, on the CPU and in float32. Later steps do not change the copy. */
  async adapter(): Promise<Adapter> {
    const handle = this.#started();
    const metadata = {
      ...{ ...this.#settingsText(), steps: String(this.#position), base: this.#model.folder },
      examples: JSON.stringify(this.#begun().examples),
    };
    return Adapter.of(await runNative({}, (_, task) => handle.adapter(metadata, task)), 'The adapter in training');
  }

  /**
   * Writes the adapter and removes the checkpoints of a run with this `out`. If `train` found the run finished, its
   * file stays as it is, because generated pairs record the digest of the file.
   */
  async save(file: string): Promise<void> {
    this.#started();
    const path = resolve(checkValue('file', adapterFile(), file));
    const files = new RunFiles(path);
    const isOfRun = this.#lock?.place === path;
    const lock = isOfRun ? undefined : await files.lock(); // The trainer holds the lock on its own run already.
    try {
      if (path !== this.#finished || !existsSync(path)) {
        await using adapter = await this.adapter();
        await adapter.save(path);
      }
      await files.removeCheckpoints();
      if (isOfRun) this.#savedStep = this.#position;
    } finally {
      await lock?.release();
      if (isOfRun && !this.#busy) await this.#unlock();
    }
  }

  /**
   * Samples a pair of the first type from the current adapter, or of another `type`. It is decoded by TAESD if the model
   * has one. It has no effect on training.
   */
  async preview({ signal, ...options }: PreviewOptions = {}): Promise<Pair> {
    const decoder = this.#model.info.fastDecoder ? 'taesd' : 'vae';
    const handle = this.#started();
    const { types, resolution, backgroundScaled } = this.#settings;
    const trained = { types, prompts: this.prompts, resolution, backgroundScaled };
    const type = options.type ?? (types[0] as string);
    const native = nativeSampling(resolveSampling({ decoder, ...options, type }, this.#model, trained), false);
    const [pair] = await runNative({ signal }, (_, task) => handle.preview(native, [0], task));
    return toPair(pair as NonNullable<typeof pair>, native.width, native.seed);
  }

  /** Frees the adapter and the optimiser. A second call has no effect. */
  async dispose(): Promise<void> {
    this.#handle?.dispose();
    this.#handle = undefined;
    await this.#unlock();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** Locks the files of a run. */
  async #lockFiles(files: RunFiles | undefined): Promise<void> {
    if (this.#lock?.place === files?.out) return;
    await this.#unlock();
    this.#lock = await files?.lock();
  }

  async #unlock(): Promise<void> {
    const lock = this.#lock;
    this.#lock = undefined;
    await lock?.release();
  }

  #started(): NativeTrainer {
    if (!this.#handle) throw new DualAnoDiffError('The trainer has not begun, or is disposed', 'ERR_DISPOSED');
    return this.#handle;
  }

  #begun(): TrainingInputs {
    if (!this.#inputs) throw new DualAnoDiffError('The trainer has not begun', 'ERR_DISPOSED');
    return this.#inputs;
  }

  async #prepare(
    dataset: Dataset,
    signal: AbortSignal | undefined,
    onNote: TrainOptions['onNote'] | undefined,
  ): Promise<void> {
    if (this.#handle) return;
    const { native: model, info } = this.#model;
    const { inputs, regions } = await trainingInputs(dataset, this.#settings, info.device);
    for (const note of inputs.notes) onNote?.(note);
    const { settings, prompts } = inputs;
    this.#settings = settings;
    this.#inputs = inputs;
    const initial = settings.initialAdapter === NO_ADAPTER ? '' : resolve(settings.initialAdapter);
    if (initial) {
      await checkAdapterFile(initial);
      this.#initialDigest = await fileDigest(initial);
    }
    await warnOfLongPrompts(model, prompts.flatMap(namedPrompts));
    const options = nativeTraining(settings, prompts, initial);
    const native = await nativeRegions(regions);
    try {
      this.#handle = await runNative({ signal }, (engine, task) => engine.createTrainer(model, options, native, task));
    } finally {
      native.dispose();
    }
  }

  /** Resumes the files of a run or starts new ones. Returns true if the run is already finished. */
  async #begin(files: RunFiles, resume: boolean, steps: number): Promise<boolean> {
    const handle = this.#started();
    const { legacyFingerprint } = this.#model.info;
    const { checkpoint, finishedSteps } = await startOfRun(files, {
      ...{ resume, steps, hasSteps: this.#position > 0, settings: this.#settingsText(), legacyFingerprint },
    });
    if (finishedSteps !== undefined) {
      this.#position = finishedSteps;
      await runNative({}, (_, task) => handle.loadFinished(files.out, finishedSteps, task));
      return true;
    }
    if (checkpoint) this.#position = await runNative({}, (_, task) => handle.loadCheckpoint(checkpoint, task));
    this.#savedStep = checkpoint ? this.#position : 0;
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
    this.#savedStep = this.#position;
    await files.prune();
  }

  /** Returns everything that decides the result, as metadata of checkpoints and adapters. */
  #settingsText(): Record<string, string> {
    return {
      ...this.#begun().metadata,
      initial_adapter: this.#initialDigest,
      base_fingerprint: this.#model.info.fingerprint,
      dtype: this.#model.info.dtype,
    };
  }
}

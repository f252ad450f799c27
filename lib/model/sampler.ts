import { resolve } from 'node:path';
import type { z } from 'zod';
import type { NativeBackgrounds, NativeSampleOptions, NativeSampler } from '../addon-types.js';
import { DualAnoDiffError, InvalidOptionError } from '../core/errors.js';
import { toRgb } from '../core/image.js';
import { inTurn } from '../core/in-turn.js';
import { checkTensor, type Tensor } from '../core/tensor.js';
import { type Pair, toPair } from '../dataset/pair.js';
import { checkOptions } from '../options/check.js';
import { batchSchema, sampleSchema } from '../options/schemas.js';
import { runNative, type TaskOptions, throwIfAborted } from '../run-native.js';
import { Adapter } from './adapter.js';
import type { AdapterInfo } from './adapter-info.js';
import type { DualAnoDiff } from './dualanodiff.js';
import { PairBatch } from './pair-batch.js';
import { checkPrompts, quoted, warnOfLongPrompts } from './prompts.js';

/**
 * Options of {@link Sampler.sample}.
 * @interface
 */
export type SampleOptions = z.input<typeof sampleSchema>;

/**
 * Options of {@link Sampler.begin}.
 * @interface
 */
export type BatchOptions = z.input<typeof batchSchema>;

type ResolvedSampling = Omit<z.output<typeof batchSchema>, 'indices'>;

/**
 * The engine's options of one batch.
 * @internal
 */
export function toNative(
  options: ResolvedSampling,
  size: number,
  startFromLatentMean: boolean,
  { globalPrompt, anomalyPrompt }: { globalPrompt: string; anomalyPrompt: string },
): NativeSampleOptions {
  const { steps, guidanceScale, scheduler, eta, seed, negativePrompt, attention } = options;
  return {
    ...{ steps, guidanceScale, scheduler, eta, seed, negativePrompt, attention },
    ...{ guidedFrom: options.guidanceInterval[0], guidedTo: options.guidanceInterval[1] },
    reuseFeatures: options.reuseFeatures,
    globalPrompt: options.globalPrompt ?? globalPrompt,
    anomalyPrompt: options.anomalyPrompt ?? anomalyPrompt,
    fastDecoder: options.decoder === 'taesd',
    startFromLatentMean: options.startFromLatentMean ?? startFromLatentMean,
    width: size,
    height: size,
  };
}

/**
 * Draws pairs from an adapter.
 *
 * @example
 * await using sampler = await Sampler.create(model, 'crack.safetensors');
 * for await (const pair of sampler.sample({ count: 1000, seed: 7 })) console.log(pair.index);
 */
export class Sampler {
  /** What the adapter says of itself. */
  readonly adapter: AdapterInfo;
  readonly #model: DualAnoDiff;
  #handle: NativeSampler | undefined;

  private constructor(model: DualAnoDiff, handle: NativeSampler, adapter: AdapterInfo) {
    this.#model = model;
    this.#handle = handle;
    this.adapter = adapter;
  }

  /**
   * Makes a sampler of an adapter, or of the file that one is read from: the own format, or a file of the published code
   * (`.bin` or `.safetensors`). The adapter may be disposed once the sampler is there.
   * Throws ERR_ADAPTER_MISMATCH where it belongs to another base, ERR_WEIGHTS_INVALID where the file is damaged or says
   * something of itself that is not known or that no option may be.
   */
  static async create(model: DualAnoDiff, adapter: Adapter | string): Promise<Sampler> {
    if (adapter instanceof Adapter) return Sampler.#of(model, adapter);
    if (typeof adapter !== 'string') throw new InvalidOptionError('Expected an Adapter or a file name for adapter');
    const path = resolve(adapter);
    const handle = await runNative({}, (engine, task) => engine.readAdapter(path, task));
    await using read = Adapter.of(handle, adapter); // its digest, which takes time, is not asked for
    return await Sampler.#of(model, read);
  }

  static async #of(model: DualAnoDiff, adapter: Adapter): Promise<Sampler> {
    const { native } = model;
    const handle = await runNative({}, (engine, task) => engine.createSampler(native, adapter.native, task));
    return new Sampler(model, handle, adapter.info);
  }

  /**
   * Pairs 0 to `count` - 1 of a seed, as they are ready; those in `skip` are left out. Pair k starts from the same noise
   * whatever the batch size. Leaving the loop early stops the work and frees what it held; what `onProgress` throws does
   * so, too, and is what the loop throws.
   *
   * Throws ERR_NON_FINITE naming the denoising step or the decoder whose numbers are not finite. Prompts of more than 75
   * tokens are cut, with a warning of the process.
   */
  async *sample(options: SampleOptions): AsyncGenerator<Pair, void, undefined> {
    const checked = checkOptions(sampleSchema, options);
    const { count, batchSize, skip, signal, onProgress } = checked;
    const [native, size] = await this.#resolve(checked);
    const indices = Array.from({ length: count }, (_, index) => index).filter((index) => !skip?.has(index));
    const backgrounds = await this.#encodeBackgrounds(checked, size);
    const leaving = new AbortController();
    const onAbort = () => leaving.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const batches = Array.from({ length: Math.ceil(indices.length / batchSize) }, (_, i) =>
      indices.slice(i * batchSize, (i + 1) * batchSize),
    );
    try {
      throwIfAborted(signal); // what fired before anyone listened
      const drawn = inTurn(batches, {
        // A GPU's work is on its way before it is done: the next batch's is put behind it while this one's is fetched.
        ahead: this.#model.info.device.startsWith('cuda'),
        start: (batch) =>
          runNative({ signal: leaving.signal, onProgress }, (_, task, progress) =>
            this.#alive().draw(native, batch, backgrounds, task, progress),
          ),
        abandon: (started) => {
          leaving.abort();
          return started.then(
            (drawn) => drawn.dispose(),
            () => {}, // it ends with the abort
          );
        },
        finish: async (started) => {
          try {
            return await runNative({ signal }, (_, task) => started.take(task));
          } finally {
            started.dispose();
          }
        },
      });
      for await (const pairs of drawn) {
        for (const pair of pairs) yield toPair(pair, size, native.seed);
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      leaving.abort();
      backgrounds?.dispose();
    }
  }

  /** Pairs of a seed that are to be denoised step by step; `sample` does the same steps in one go. */
  async begin(options: BatchOptions): Promise<PairBatch> {
    const { indices, ...checked } = checkOptions(batchSchema, options);
    const handle = this.#alive();
    const [native, size] = await this.#resolve(checked);
    const backgrounds = await this.#encodeBackgrounds(checked, size);
    try {
      const begun = await runNative({ signal: checked.signal }, (_, task) =>
        handle.begin(native, indices, backgrounds, task),
      );
      return new PairBatch({ begun, backgrounds, size, seed: native.seed });
    } catch (error) {
      backgrounds?.dispose();
      throw error;
    }
  }

  /** Prompts as the adapter's UNet sees them, (N, 77, width): the text encoder with the adapter's LoRA. */
  async textEncode(prompts: string[], { signal }: TaskOptions = {}): Promise<Tensor> {
    const handle = this.#alive();
    checkPrompts(prompts);
    await warnOfLongPrompts(handle, quoted(prompts));
    return runNative({ signal }, (_, task) => handle.textEncode(prompts, task));
  }

  /**
   * One call of the dual UNet. `latents`: (2 N, channels, h, w), rows (pair, branch); one timestep and one text state,
   * (77, width), for each row. Returns what the model predicts (see `info.predictionType`), shaped like the latents.
   */
  async predict(
    { latents, timesteps, textStates }: { latents: Tensor; timesteps: number[]; textStates: Tensor },
    { signal }: TaskOptions = {},
  ): Promise<Tensor> {
    const handle = this.#alive();
    if (!Array.isArray(timesteps) || !timesteps.every(Number.isFinite)) {
      throw new InvalidOptionError('Expected a list of finite numbers for timesteps');
    }
    const times = { data: Float32Array.from(timesteps), shape: [timesteps.length] };
    const rows = [checkTensor(latents, 'latents'), checkTensor(textStates, 'textStates')] as const;
    return runNative({ signal }, (_, task) => handle.predict(rows[0], times, rows[1], task));
  }

  /** Frees the adapter. May be called twice. */
  async dispose(): Promise<void> {
    this.#handle?.dispose();
    this.#handle = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #resolve(options: ResolvedSampling): Promise<[NativeSampleOptions, number]> {
    const handle = this.#alive();
    const size = options.resolution ?? this.adapter.resolution ?? this.#model.defaults.resolution;
    const native = toNative(options, size, this.#model.defaults.startFromLatentMean, this.adapter);
    await warnOfLongPrompts(handle, [
      ['global prompt', native.globalPrompt],
      ['anomaly prompt', native.anomalyPrompt],
      ['negative prompt', native.negativePrompt],
    ]);
    return [native, size];
  }

  async #encodeBackgrounds(options: ResolvedSampling, size: number): Promise<NativeBackgrounds | undefined> {
    const { backgrounds, backgroundEvery: every, backgroundNoise, keepBackgroundFeatures: keepFeatures } = options;
    const { seed, signal } = options;
    if (!backgrounds) return undefined;
    if (backgroundNoise === 'fresh' && keepFeatures !== 'no') {
      throw new InvalidOptionError(
        `Expected no for keepBackgroundFeatures but received ${keepFeatures}: with fresh noise no two passes are the same`,
      );
    }
    const rows = backgrounds.map(({ image, foreground }) => ({ image: toRgb(image), foreground }));
    for (const { image, foreground } of rows) {
      for (const { width, height } of [image, foreground]) {
        if (width === size && height === size) continue;
        throw new InvalidOptionError(
          `Expected backgrounds of ${size} x ${size}, as large as the pairs, but received ${width} x ${height}`,
        );
      }
    }
    const native = {
      ...{ every, seed, freshNoise: backgroundNoise === 'fresh', keepFeatures },
      scaled: options.backgroundScaled ?? this.adapter.backgroundScaled,
      ...{ count: rows.length, width: size, height: size },
    };
    const images = Buffer.concat(rows.map(({ image }) => image.data));
    const foregrounds = Buffer.concat(rows.map(({ foreground }) => foreground.data));
    const { native: model } = this.#model;
    return runNative({ signal }, (engine, task) => engine.encodeBackgrounds(model, native, images, foregrounds, task));
  }

  #alive(): NativeSampler {
    if (!this.#handle) throw new DualAnoDiffError('The sampler is disposed', 'ERR_DISPOSED');
    return this.#handle;
  }
}

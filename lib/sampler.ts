import { resolve } from 'node:path';
import type { z } from 'zod';
import type {
  NativeBackgrounds,
  NativeLayouts,
  NativeModel,
  NativeSampleOptions,
  NativeSampler,
} from './addon-types.js';
import { DualAnoDiffError, InvalidOptionError } from './errors.js';
import { toRgb } from './image.js';
import { inTurn } from './in-turn.js';
import { Layouts } from './layouts.js';
import type { DualAnoDiff } from './model.js';
import { checkOptions } from './options/check.js';
import { batchSchema, DEFAULT_PROMPTS, sampleSchema } from './options/schemas.js';
import { type Pair, toPair } from './pair.js';
import { PairBatch } from './pair-batch.js';
import { quoted, warnOfLongPrompts } from './prompts.js';
import { runNative, type TaskOptions, throwIfAborted } from './run-native.js';
import { checkTensor, type Tensor } from './tensor.js';

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

/** What an adapter's file says of itself; empty for files of the published code. */
export interface AdapterInfo {
  type?: string;
  partFill: 'grey' | 'black';
  globalPrompt: string;
  anomalyPrompt: string;
  /** Pixels along each side of the training images. */
  resolution?: number;
  /** Background compensation, which needs backgrounds to sample. */
  background: 'off' | 'add' | 'interpolate';
  /** Whether it was trained on background latents that are scaled by the autoencoder's factor; published ones were not. */
  backgroundScaled: boolean;
  metadata: Readonly<Record<string, string>>;
}

function readInfo(metadata: Record<string, string>): AdapterInfo {
  return {
    ...(metadata.type === undefined ? {} : { type: metadata.type }),
    ...(metadata.resolution === undefined ? {} : { resolution: Number(metadata.resolution) }),
    partFill: metadata.part_fill === 'black' ? 'black' : 'grey',
    globalPrompt: metadata.global_prompt ?? DEFAULT_PROMPTS.global,
    anomalyPrompt: metadata.anomaly_prompt ?? DEFAULT_PROMPTS.anomaly,
    background: metadata.background as AdapterInfo['background'],
    backgroundScaled: metadata.background_scaled === 'true',
    metadata,
  };
}

/** Never undefined where layouts are asked for: pairs from noise in their place would be a silent change. */
function nativeLayouts(layouts: Layouts | undefined): NativeLayouts | undefined {
  if (layouts === undefined) return undefined;
  if (!(layouts instanceof Layouts)) throw new InvalidOptionError('Expected layouts that Layouts.create made');
  return layouts.native;
}

type ResolvedSampling = Omit<z.output<typeof batchSchema>, 'indices'>;

/**
 * What the engine is told of one batch.
 * @internal
 */
export function toNative(
  options: ResolvedSampling,
  size: number,
  matchLevels: boolean,
  { globalPrompt, anomalyPrompt }: { globalPrompt: string; anomalyPrompt: string },
): NativeSampleOptions {
  const { steps, guidanceScale, scheduler, eta, seed, negativePrompt, strength, attention } = options;
  return {
    ...{ steps, guidanceScale, scheduler, eta, seed, negativePrompt, strength, attention },
    ...{ guidedFrom: options.guidanceInterval[0], guidedTo: options.guidanceInterval[1] },
    reuseFeatures: options.reuseFeatures,
    globalPrompt: options.globalPrompt ?? globalPrompt,
    anomalyPrompt: options.anomalyPrompt ?? anomalyPrompt,
    fastDecoder: options.decoder === 'taesd',
    matchLevels: options.matchLevels ?? matchLevels,
    width: size,
    height: size,
  };
}

/**
 * Draws pairs from an adapter.
 *
 * @example
 * const sampler = await Sampler.create(model, 'crack.safetensors');
 * for await (const pair of sampler.sample({ count: 1000, seed: 7 })) console.log(pair.index);
 */
export class Sampler {
  /** What the adapter's file says of itself. */
  readonly adapter: AdapterInfo;
  readonly #model: DualAnoDiff;
  readonly #native: NativeModel;
  readonly #release: () => void;
  #handle: NativeSampler | undefined;

  private constructor(model: DualAnoDiff, native: NativeModel, handle: NativeSampler, release: () => void) {
    this.#model = model;
    this.#native = native;
    this.#handle = handle;
    this.#release = release;
    this.adapter = readInfo(handle.metadata());
  }

  /**
   * Reads an adapter: the own format, or a file of the published code (`.bin` or `.safetensors`).
   * Throws ERR_ADAPTER_MISMATCH where it belongs to another base, ERR_WEIGHTS_INVALID where the file is damaged.
   */
  static async create(model: DualAnoDiff, adapterFile: string): Promise<Sampler> {
    const [native, release] = model.hold();
    try {
      const handle = await runNative({}, (engine, task) => engine.createSampler(native, resolve(adapterFile), task));
      return new Sampler(model, native, handle, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * Pairs 0 to `count` - 1 of a seed, as they are ready; those in `skip` are left out. Pair k starts from the same noise
   * whatever the batch size. Leaving the loop early stops the work.
   *
   * Throws ERR_NON_FINITE naming the denoising step or the decoder whose numbers are not finite. Prompts of more than 75
   * tokens are cut, with a warning of the process (`DUALANODIFF_LONG_PROMPT`).
   */
  async *sample(options: SampleOptions): AsyncGenerator<Pair, void, undefined> {
    const checked = checkOptions(sampleSchema, options);
    const { count, batchSize, skip, layouts, signal, onProgress } = checked;
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
          runNative({ signal: leaving.signal }, (_, task) =>
            this.#alive().draw(native, batch, backgrounds, nativeLayouts(layouts), task, (step, steps) =>
              onProgress?.(step, steps),
            ),
          ),
        finish: async (started) => {
          try {
            return await runNative({ signal }, (_, task) => started.take(task));
          } finally {
            started.dispose();
          }
        },
      });
      for await (const pairs of drawn) {
        for (const pair of pairs) yield toPair(pair, layouts?.resolution ?? size, native.seed);
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
        handle.begin(native, indices, backgrounds, nativeLayouts(checked.layouts), task),
      );
      return new PairBatch(begun, backgrounds, checked.layouts?.resolution ?? size, native.seed);
    } catch (error) {
      backgrounds?.dispose();
      throw error;
    }
  }

  /** Prompts as the adapter's UNet sees them, (N, 77, width): the text encoder with the adapter's LoRA. */
  async textEncode(prompts: string[], { signal }: TaskOptions = {}): Promise<Tensor> {
    const handle = this.#alive();
    await warnOfLongPrompts(this.#native, quoted(prompts));
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
    const times = { data: Float32Array.from(timesteps), shape: [timesteps.length] };
    const rows = [checkTensor(latents, 'latents'), checkTensor(textStates, 'textStates')] as const;
    return runNative({ signal }, (_, task) => handle.predict(rows[0], times, rows[1], task));
  }

  /** Frees the adapter. May be called twice. */
  async dispose(): Promise<void> {
    this.#handle?.dispose();
    this.#handle = undefined;
    this.#release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #resolve(options: ResolvedSampling): Promise<[NativeSampleOptions, number]> {
    this.#alive();
    const size = options.resolution ?? this.adapter.resolution ?? this.#model.defaults.resolution;
    const native = toNative(options, size, this.#model.defaults.matchLevels, this.adapter);
    await warnOfLongPrompts(this.#native, [
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
    const [model, release] = this.#model.hold();
    try {
      return await runNative({ signal }, (engine, task) =>
        engine.encodeBackgrounds(model, native, images, foregrounds, task),
      );
    } finally {
      release();
    }
  }

  #alive(): NativeSampler {
    if (!this.#handle) throw new DualAnoDiffError('The sampler is disposed', 'ERR_DISPOSED');
    return this.#handle;
  }
}

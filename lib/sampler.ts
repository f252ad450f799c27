import { resolve } from 'node:path';
import type { z } from 'zod';
import type { NativePair, NativeSampleOptions, NativeSampler } from './addon-types.js';
import { DualAnoDiffError } from './errors.js';
import type { RawImage } from './image.js';
import type { DualAnoDiff } from './model.js';
import { checkOptions } from './options/check.js';
import { DEFAULT_PROMPTS, sampleSchema } from './options/schemas.js';
import { runNative } from './run-native.js';

/** Options of {@link Sampler.sample}. */
export type SampleOptions = z.input<typeof sampleSchema>;

/** A generated pair: the whole image with the defect, and the defect alone on blank ground. */
export interface Pair {
  /** Which pair of the seed this is; the same index and seed start from the same noise. */
  index: number;
  seed: number;
  /** RGB. */
  image: RawImage;
  /** RGB. */
  part: RawImage;
}

/** What an adapter's file says of itself; empty for files of the published code. */
export interface AdapterInfo {
  type?: string;
  partFill: 'grey' | 'black';
  globalPrompt: string;
  anomalyPrompt: string;
  /** Pixels along each side of the training images. */
  resolution?: number;
  metadata: Readonly<Record<string, string>>;
}

function readInfo(metadata: Record<string, string>): AdapterInfo {
  return {
    ...(metadata.type === undefined ? {} : { type: metadata.type }),
    ...(metadata.resolution === undefined ? {} : { resolution: Number(metadata.resolution) }),
    partFill: metadata.part_fill === 'black' ? 'black' : 'grey',
    globalPrompt: metadata.global_prompt ?? DEFAULT_PROMPTS.global,
    anomalyPrompt: metadata.anomaly_prompt ?? DEFAULT_PROMPTS.anomaly,
    metadata,
  };
}

/** @internal */
export function toPair(native: NativePair, size: number, seed: number): Pair {
  const raw = (data: Uint8Array): RawImage => ({ data, width: size, height: size, channels: 3 });
  return { index: native.index, seed, image: raw(native.image), part: raw(native.part) };
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
  readonly #release: () => void;
  #handle: NativeSampler | undefined;

  private constructor(model: DualAnoDiff, handle: NativeSampler, release: () => void) {
    this.#model = model;
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
      return new Sampler(model, handle, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * Pairs 0 to `count` - 1 of a seed, as they are ready; those in `skip` are left out. Pair k starts from the same noise
   * whatever the batch size. Leaving the loop early stops the work.
   */
  async *sample(options: SampleOptions): AsyncGenerator<Pair, void, undefined> {
    const { count, batchSize, skip, signal, onProgress, resolution, ...rest } = checkOptions(sampleSchema, options);
    const size = resolution ?? this.adapter.resolution ?? this.#model.defaults.resolution;
    const native: NativeSampleOptions = {
      ...rest,
      matchLevels: rest.matchLevels ?? this.#model.defaults.matchLevels,
      width: size,
      height: size,
      globalPrompt: this.adapter.globalPrompt,
      anomalyPrompt: this.adapter.anomalyPrompt,
    };
    const indices = Array.from({ length: count }, (_, index) => index).filter((index) => !skip?.has(index));
    for (let start = 0; start < indices.length; start += batchSize) {
      const handle = this.#alive();
      const batch = indices.slice(start, start + batchSize);
      const pairs = await runNative({ signal }, (_, task) =>
        handle.sample(native, batch, task, (step, steps) => onProgress?.(step, steps)),
      );
      for (const pair of pairs) yield toPair(pair, size, native.seed);
    }
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

  #alive(): NativeSampler {
    if (!this.#handle) throw new DualAnoDiffError('The sampler is disposed', 'ERR_DISPOSED');
    return this.#handle;
  }
}

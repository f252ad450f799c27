import { resolve } from 'node:path';
import { z } from 'zod';
import type { NativeBackgrounds, NativeSampleOptions, NativeSampler } from '../addon-types.js';
import { DualAnoDiffError, InvalidOptionError } from '../core/errors.js';
import { inTurn } from '../core/in-turn.js';
import { type Pair, toPair } from '../dataset/pair.js';
import { checkOptions, taskShape } from '../options/check.js';
import type { SampleSettings } from '../options/generated.js';
import { sampleSchema } from '../options/sampling.js';
import { runNative, type TaskOptions, throwIfAborted } from '../run-native.js';
import { Adapter } from './adapter.js';
import type { AdapterInfo } from './adapter-info.js';
import type { BaseModel } from './base-model.js';
import { type BackgroundInput, encodeBackgrounds } from './encoded-backgrounds.js';
import { namedPrompts, warnOfLongPrompts } from './prompts.js';
import { nativeSampling, resolveSampling, type SamplingSettings } from './sampling-settings.js';

/** Holds the options of {@link Sampler.sample}. */
export interface SampleOptions extends SampleSettings, TaskOptions {
  /** Adapters with background compensation need backgrounds, which must be as large as the pairs. */
  backgrounds?: readonly BackgroundInput[];
  /** The sampler leaves out the pairs with these indices, for example those of an earlier call. */
  skip?: ReadonlySet<number>;
  /** This function is called after every denoising step of a batch. If it throws, sampling ends with its error. */
  onProgress?: (step: number, steps: number) => void;
}

const isBackgrounds = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((one) => one?.image && one?.foreground);
/** Sampling takes these options beside its settings. */
export const sessionShape = {
  ...taskShape,
  backgrounds: z
    .custom<readonly BackgroundInput[]>(isBackgrounds, 'a list of { image, foreground } that is not empty')
    .optional(),
};
const sessionSchema = z.strictObject({
  ...sessionShape,
  count: sampleSchema.shape.count,
  attention: sampleSchema.shape.attention,
  skip: z.custom<ReadonlySet<number>>((value) => value instanceof Set, 'a Set of numbers').optional(),
  onProgress: z
    .custom<NonNullable<SampleOptions['onProgress']>>((value) => typeof value === 'function', 'a function')
    .optional(),
});

/** Separates the options of one call from the settings that decide the pixels of the pairs. */
function splitOptions(options: SampleOptions) {
  const { count, attention, skip, signal, onProgress, backgrounds, ...settings } = options;
  const session = checkOptions(sessionSchema, { count, attention, skip, signal, onProgress, backgrounds });
  return { session, settings };
}

/** Holds the engine's settings and the encoded backgrounds of one call. */
export interface PreparedSampling {
  native: NativeSampleOptions;
  batchSize: number;
  backgrounds: NativeBackgrounds | undefined;
}

/**
 * Returns the indices of each batch. They do not depend on the pairs that exist already, because a GPU may round
 * differently in a batch of another size. Pairs that are made after an interruption are then the same.
 */
const batchesOf = (count: number, batchSize: number): number[][] =>
  Array.from({ length: Math.ceil(count / batchSize) }, (_, batch) => {
    const first = batch * batchSize;
    return Array.from({ length: Math.min(batchSize, count - first) }, (_, i) => first + i);
  });

/**
 * Samples pairs from an adapter.
 *
 * @example
 * await using sampler = await Sampler.create(model, 'crack.safetensors');
 * for await (const pair of sampler.sample({ count: 1000, seed: 7 })) console.log(pair.index);
 */
export class Sampler {
  /** These settings of its training decide how the adapter is used. */
  readonly adapter: AdapterInfo;
  readonly #model: BaseModel;
  #handle: NativeSampler | undefined;

  private constructor(model: BaseModel, handle: NativeSampler, adapter: AdapterInfo) {
    this.#model = model;
    this.#handle = handle;
    this.adapter = adapter;
  }

  /**
   * Creates a sampler from an adapter or an adapter file. The file may have the format of this package or of the
   * published code (`.bin` or `.safetensors`). The sampler does not need the adapter after this call.
   *
   * Throws ERR_ADAPTER_MISMATCH if the adapter belongs to another base, and ERR_WEIGHTS_INVALID if the file is damaged
   * or stores a setting that is unknown or out of its range.
   */
  static async create(model: BaseModel, adapter: Adapter | string): Promise<Sampler> {
    if (adapter instanceof Adapter) return Sampler.#of(model, adapter, false);
    if (typeof adapter !== 'string') throw new InvalidOptionError('Expected an Adapter or a file name for adapter');
    const path = resolve(adapter);
    const handle = await runNative({}, (engine, task) => engine.readAdapter(path, task));
    await using read = Adapter.of(handle, adapter); // Adapter.load would also spend time on the digest.
    return await Sampler.#of(model, read, true); // Its tensors and their folded form need not be in memory at once.
  }

  static async #of(model: BaseModel, adapter: Adapter, takesTensors: boolean): Promise<Sampler> {
    const { native } = model;
    const handle = await runNative({}, (engine, task) =>
      engine.createSampler(native, adapter.native, takesTensors, task),
    );
    return new Sampler(model, handle, adapter.info);
  }

  /**
   * Yields pairs 0 to `count` - 1 of a seed, except those in `skip`, each when it is ready. The noise of pair k depends
   * on the seed and on k, but not on the batch size. If the caller leaves the loop early, sampling stops and frees its
   * memory.
   *
   * Throws ERR_NON_FINITE with the denoising step or the decoder whose numbers are not finite. A prompt of more than 75
   * tokens is cut, with a process warning.
   */
  async *sample(options: SampleOptions = {}): AsyncGenerator<Pair, void, undefined> {
    const { session, settings } = splitOptions(options);
    const { count, skip, signal, onProgress } = session;
    const { native, backgrounds, batchSize } = await this.prepare(settings, session);
    const leaving = new AbortController();
    const onAbort = () => leaving.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const batches = batchesOf(count, batchSize).filter((batch) => batch.some((index) => !skip?.has(index)));
    try {
      throwIfAborted(signal); // The signal may have fired before the listener was added.
      const sampled = inTurn(batches, {
        // A GPU works through a queue, so the next batch is queued while the pairs of this one are fetched.
        ahead: this.#model.info.device.startsWith('cuda'),
        start: (batch) =>
          runNative({ signal: leaving.signal, onProgress }, (_, task, progress) =>
            this.native.draw(native, batch, backgrounds, task, progress),
          ),
        abandon: (started) => {
          leaving.abort();
          return started.then(
            (drawn) => drawn.dispose(),
            () => {}, // It failed because it was aborted.
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
      for await (const pairs of sampled) {
        for (const pair of pairs) if (!skip?.has(pair.index)) yield toPair(pair, native.width, native.seed);
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      leaving.abort();
      backgrounds?.dispose();
    }
  }

  /** Frees the sampler. A second call has no effect. */
  async dispose(): Promise<void> {
    this.#handle?.dispose();
    this.#handle = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /**
   * Resolves the settings, warns of prompts that are too long, and encodes the backgrounds.
   * @internal
   */
  async prepare(
    settings: SamplingSettings,
    {
      attention,
      backgrounds,
      signal,
    }: { attention: boolean; backgrounds?: readonly BackgroundInput[] | undefined } & TaskOptions,
  ): Promise<PreparedSampling> {
    const resolved = resolveSampling(settings, this.#model, this.adapter);
    await warnOfLongPrompts(this.native, [
      ...namedPrompts({ global: resolved.globalPrompt, anomaly: resolved.anomalyPrompt }),
      ['negative prompt', resolved.negativePrompt],
    ]);
    return {
      native: nativeSampling(resolved, attention),
      batchSize: resolved.batchSize,
      backgrounds: backgrounds && (await encodeBackgrounds(this.#model, backgrounds, resolved, signal)),
    };
  }

  /**
   * Returns the engine's sampler. Throws ERR_DISPOSED.
   * @internal
   */
  get native(): NativeSampler {
    if (!this.#handle) throw new DualAnoDiffError('The sampler is disposed', 'ERR_DISPOSED');
    return this.#handle;
  }
}

import type { NativeBackgrounds, NativeBatch, NativeBegun } from '../addon-types.js';
import { DualAnoDiffError } from '../core/errors.js';
import { checkTensor, type Tensor } from '../core/tensor.js';
import { type Pair, toPair } from '../dataset/pair.js';
import { runNative, type TaskOptions } from '../run-native.js';

/**
 * Holds the parts of a batch.
 * @internal
 */
export interface BatchParts {
  begun: NativeBegun;
  /** The batch frees these. */
  backgrounds: NativeBackgrounds | undefined;
  /** Pixels along each side of the pairs. */
  size: number;
  seed: number;
}

/**
 * Denoises a batch of pairs step by step. `step` makes one call of the model and one step of the scheduler.
 *
 * @example
 * await using batch = await begin(sampler, { indices: [0, 1], steps: 20 });
 * while (!batch.done) await batch.step();
 * const pairs = await batch.decode();
 */
export class PairBatch {
  /** Each call of the model has its timestep, in order. Some schedulers make more calls than they have steps. */
  readonly timesteps: readonly number[];
  #latents: Tensor;
  #position = 0;
  #handle: NativeBatch | undefined;
  #backgrounds: NativeBackgrounds | undefined;
  readonly #size: number;
  readonly #seed: number;

  /** @internal */
  constructor({ begun, backgrounds, size, seed }: BatchParts) {
    this.#handle = begun.handle;
    this.timesteps = begun.timesteps;
    this.#latents = begun.latents;
    this.#backgrounds = backgrounds;
    this.#size = size;
    this.#seed = seed;
  }

  /**
   * Returns the scheduler's latents, (pairs * 2, channels, h, w). Each pair has two rows: first the whole image, then
   * the anomaly part.
   */
  get latents(): Tensor {
    return this.#latents;
  }

  /** Returns the number of finished calls. */
  get position(): number {
    return this.#position;
  }

  get done(): boolean {
    return this.#position === this.timesteps.length;
  }

  /** Makes the next call, from `latents` if they are given, else from the batch's own. Returns the new latents. */
  async step(latents?: Tensor, { signal }: TaskOptions = {}): Promise<Tensor> {
    const handle = this.#alive();
    if (this.done) throw new DualAnoDiffError('Every step of the batch is done', 'ERR_BATCH_DONE');
    const changed = latents && checkTensor(latents, 'latents');
    this.#latents = await runNative({ signal }, (_, task) => handle.step(changed, task));
    this.#position++;
    return this.#latents;
  }

  /** Decodes the current latents to pairs. */
  async decode({ signal }: TaskOptions = {}): Promise<Pair[]> {
    const handle = this.#alive();
    const pairs = await runNative({ signal }, (_, task) => handle.decode(task));
    return pairs.map((pair) => toPair(pair, this.#size, this.#seed));
  }

  /** Frees the batch. A second call has no effect. */
  async dispose(): Promise<void> {
    this.#handle?.dispose();
    this.#backgrounds?.dispose();
    this.#handle = this.#backgrounds = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #alive(): NativeBatch {
    if (!this.#handle) throw new DualAnoDiffError('The batch is disposed', 'ERR_DISPOSED');
    return this.#handle;
  }
}

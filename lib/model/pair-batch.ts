import type { NativeBackgrounds, NativeBatch, NativeBegun } from '../addon-types.js';
import { DualAnoDiffError } from '../core/errors.js';
import { checkTensor, type Tensor } from '../core/tensor.js';
import { type Pair, toPair } from '../dataset/pair.js';
import { runNative, type TaskOptions } from '../run-native.js';

/**
 * What a batch is made of.
 * @internal
 */
export interface BatchParts {
  begun: NativeBegun;
  /** Freed with the batch. */
  backgrounds: NativeBackgrounds | undefined;
  /** Pixels along each side of the pairs. */
  size: number;
  seed: number;
}

/**
 * A batch of pairs between noise and images: `step` is one call of the model and one step of the scheduler.
 *
 * @example
 * await using batch = await begin(sampler, { indices: [0, 1], steps: 20 });
 * while (!batch.done) await batch.step();
 * const pairs = await batch.decode();
 */
export class PairBatch {
  /** Of the calls, in order; some schedulers call more often than they have steps. */
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

  /** The latents as the scheduler keeps them, (pairs * 2, channels, h, w); rows (pair, branch), whole image first. */
  get latents(): Tensor {
    return this.#latents;
  }

  /** How many calls are done. */
  get position(): number {
    return this.#position;
  }

  get done(): boolean {
    return this.#position === this.timesteps.length;
  }

  /** The next call, from `latents` where they are given instead of the batch's own. Returns the new latents. */
  async step(latents?: Tensor, { signal }: TaskOptions = {}): Promise<Tensor> {
    const handle = this.#alive();
    if (this.done) throw new DualAnoDiffError('Every step of the batch is done', 'ERR_BATCH_DONE');
    const changed = latents && checkTensor(latents, 'latents');
    this.#latents = await runNative({ signal }, (_, task) => handle.step(changed, task));
    this.#position++;
    return this.#latents;
  }

  /** The pairs as they are now. */
  async decode({ signal }: TaskOptions = {}): Promise<Pair[]> {
    const handle = this.#alive();
    const pairs = await runNative({ signal }, (_, task) => handle.decode(task));
    return pairs.map((pair) => toPair(pair, this.#size, this.#seed));
  }

  /** Frees the batch. May be called twice. */
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

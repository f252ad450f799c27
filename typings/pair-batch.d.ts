import { type Pair } from './pair.js';
import { type TaskOptions } from './run-native.js';
import { type Tensor } from './tensor.js';
/**
 * A batch of pairs between noise and images: `step` is one call of the model and one step of the scheduler.
 *
 * @example
 * await using batch = await sampler.begin({ indices: [0, 1], steps: 20 });
 * while (!batch.done) await batch.step();
 * const pairs = await batch.decode();
 */
export declare class PairBatch {
    #private;
    /** Of the calls, in order; some schedulers call more often than they have steps. */
    readonly timesteps: readonly number[];
    /** The latents as the scheduler keeps them, (pairs * 2, channels, h, w); rows (pair, branch), whole image first. */
    get latents(): Tensor;
    /** Calls that are done, or left out by a variation. */
    get position(): number;
    get done(): boolean;
    /** The next call, from `latents` where they are given instead of the batch's own. Returns the new latents. */
    step(latents?: Tensor, { signal }?: TaskOptions): Promise<Tensor>;
    /** The pairs as they are now. */
    decode({ signal }?: TaskOptions): Promise<Pair[]>;
    /** Frees the batch. May be called twice. */
    dispose(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

import type { z } from 'zod';
import { type AdapterInfo } from './adapter-info.js';
import type { DualAnoDiff } from './model.js';
import { batchSchema, sampleSchema } from './options/schemas.js';
import { type Pair } from './pair.js';
import { PairBatch } from './pair-batch.js';
import { type TaskOptions } from './run-native.js';
import { type Tensor } from './tensor.js';
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
/**
 * Draws pairs from an adapter.
 *
 * @example
 * const sampler = await Sampler.create(model, 'crack.safetensors');
 * for await (const pair of sampler.sample({ count: 1000, seed: 7 })) console.log(pair.index);
 */
export declare class Sampler {
    #private;
    /** What the adapter's file says of itself. */
    readonly adapter: AdapterInfo;
    private constructor();
    /**
     * Reads an adapter: the own format, or a file of the published code (`.bin` or `.safetensors`).
     * Throws ERR_ADAPTER_MISMATCH where it belongs to another base, ERR_WEIGHTS_INVALID where the file is damaged or says
     * something of itself that is not known or that no option may be.
     */
    static create(model: DualAnoDiff, adapterFile: string): Promise<Sampler>;
    /**
     * Pairs 0 to `count` - 1 of a seed, as they are ready; those in `skip` are left out. Pair k starts from the same noise
     * whatever the batch size. Leaving the loop early stops the work and frees what it held; what `onProgress` throws does
     * so, too, and is what the loop throws.
     *
     * Throws ERR_NON_FINITE naming the denoising step or the decoder whose numbers are not finite. Prompts of more than 75
     * tokens are cut, with a warning of the process.
     */
    sample(options: SampleOptions): AsyncGenerator<Pair, void, undefined>;
    /** Pairs of a seed that are to be denoised step by step; `sample` does the same steps in one go. */
    begin(options: BatchOptions): Promise<PairBatch>;
    /** Prompts as the adapter's UNet sees them, (N, 77, width): the text encoder with the adapter's LoRA. */
    textEncode(prompts: string[], { signal }?: TaskOptions): Promise<Tensor>;
    /**
     * One call of the dual UNet. `latents`: (2 N, channels, h, w), rows (pair, branch); one timestep and one text state,
     * (77, width), for each row. Returns what the model predicts (see `info.predictionType`), shaped like the latents.
     */
    predict({ latents, timesteps, textStates }: {
        latents: Tensor;
        timesteps: number[];
        textStates: Tensor;
    }, { signal }?: TaskOptions): Promise<Tensor>;
    /** Frees the adapter. May be called twice. */
    dispose(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

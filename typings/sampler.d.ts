import type { z } from 'zod';
import { type RawImage } from './image.js';
import type { DualAnoDiff } from './model.js';
import { sampleSchema } from './options/schemas.js';
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
    /** Background compensation, which needs backgrounds to sample. */
    background: 'off' | 'add' | 'interpolate';
    /** Whether it was trained on background latents that are scaled by the autoencoder's factor; published ones were not. */
    backgroundScaled: boolean;
    metadata: Readonly<Record<string, string>>;
}
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
     * Throws ERR_ADAPTER_MISMATCH where it belongs to another base, ERR_WEIGHTS_INVALID where the file is damaged.
     */
    static create(model: DualAnoDiff, adapterFile: string): Promise<Sampler>;
    /**
     * Pairs 0 to `count` - 1 of a seed, as they are ready; those in `skip` are left out. Pair k starts from the same noise
     * whatever the batch size. Leaving the loop early stops the work.
     */
    sample(options: SampleOptions): AsyncGenerator<Pair, void, undefined>;
    /** Frees the adapter. May be called twice. */
    dispose(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

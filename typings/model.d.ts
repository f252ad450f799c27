import { z } from 'zod';
import type { NativeModelInfo } from './addon-types.js';
import { loadSchema } from './options/schemas.js';
/** Options of {@link DualAnoDiff.load}. */
export type LoadOptions = z.input<typeof loadSchema>;
/** Settings that suit a base; the paper's where its folder says nothing. */
export interface TrainingDefaults {
    /** Pixels along each side. */
    resolution: number;
    steps: number;
    /** Pairs. */
    batchSize: number;
    learningRate: number;
    /** Timesteps are drawn with density p t^(p-1): 1 is the paper's uniform draw, more favours high noise. */
    timestepPower: number;
    /** At least this share of the loss comes from the defect; 0 is the paper's loss. */
    defectShare: number;
    /** The adapter that training starts from: the base folder's `initial_adapter.safetensors`, else 'none'. */
    initialAdapter: string;
    /** Prompts; `{category}` and `{type}` stand for the dataset's names, with spaces for underscores. */
    globalPrompt: string;
    anomalyPrompt: string;
    /** Sampling starts from the training images' colour level instead of pure noise, which a small base mistakes for it. */
    matchLevels: boolean;
}
/**
 * A Stable Diffusion base, frozen: what adapters are trained on and sampled with.
 *
 * @example
 * await using model = await DualAnoDiff.load('stable-diffusion-v1-5');
 */
export declare class DualAnoDiff {
    #private;
    /** The base's folder. */
    readonly folder: string;
    /** Device, precision and what image sides must be multiples of. */
    readonly info: Readonly<NativeModelInfo>;
    /** Training settings that suit this base. */
    readonly defaults: Readonly<TrainingDefaults>;
    private constructor();
    /**
     * Loads a base in the diffusers folder layout (tokenizer, text_encoder, vae, unet, scheduler).
     *
     * Throws ERR_MODEL_INVALID naming the part that the folder lacks, ERR_WEIGHTS_INVALID naming a tensor that does not
     * fit, ERR_DEVICE_UNAVAILABLE, ERR_LIBTORCH_MISSING.
     */
    static load(folder: string, options?: LoadOptions): Promise<DualAnoDiff>;
    /**
     * Frees the model once every trainer and sampler on it is disposed. May be called twice.
     */
    dispose(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

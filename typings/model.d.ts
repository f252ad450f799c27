import { z } from 'zod';
import type { NativeModelInfo } from './addon-types.js';
import { type RawImage } from './image.js';
import { loadSchema } from './options/schemas.js';
import { type TaskOptions } from './run-native.js';
import { type Tensor } from './tensor.js';
/**
 * Options of {@link DualAnoDiff.load}.
 * @interface
 */
export type LoadOptions = z.input<typeof loadSchema>;
/** Options of {@link DualAnoDiff.decode}. */
export type DecodeOptions = TaskOptions & {
    decoder?: 'vae' | 'taesd';
};
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
    /** The base's folder, or its checkpoint file. */
    readonly folder: string;
    /** Device, precision and what image sides must be multiples of. */
    readonly info: Readonly<NativeModelInfo>;
    /** Training settings that suit this base. */
    readonly defaults: Readonly<TrainingDefaults>;
    private constructor();
    /**
     * Loads a Stable Diffusion 1.x or 2.x base: a diffusers folder (tokenizer, text_encoder, vae, unet, scheduler; whole or
     * sharded files, any precision), or one checkpoint file in the original naming (`.safetensors`, `.ckpt`).
     *
     * Throws ERR_MODEL_INVALID naming the part that the base lacks, ERR_WEIGHTS_INVALID naming a tensor that does not
     * fit, ERR_DEVICE_UNAVAILABLE, ERR_LIBTORCH_MISSING.
     */
    static load(base: string, options?: LoadOptions): Promise<DualAnoDiff>;
    /**
     * An image as latents, (1, channels, h, w): the posterior's mean, scaled as the UNet sees it. Sides must be multiples
     * of `info.resolutionMultiple`. Throws ERR_NON_FINITE.
     */
    encode(image: RawImage, { signal }?: TaskOptions): Promise<Tensor>;
    /** Latents, (1, channels, h, w), scaled as the UNet sees them, as an RGB image. Throws ERR_NON_FINITE. */
    decode(latents: Tensor, { decoder, signal }?: DecodeOptions): Promise<RawImage>;
    /**
     * Prompts as the UNet's cross-attention sees them, (N, 77, width), without any adapter. A prompt of more than 75 tokens
     * is cut, with a warning of the process.
     */
    textEncode(prompts: string[], { signal }?: TaskOptions): Promise<Tensor>;
    /**
     * Lets go of the model. Trainers and samplers on it go on; its memory is freed with the last of them. May be called
     * twice.
     */
    dispose(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

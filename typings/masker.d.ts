import type { z } from 'zod';
import { type RawImage } from './image.js';
import { attentionSchema, maskerSchema, thresholdSchema } from './options/schemas.js';
import type { Pair } from './pair.js';
import { type TaskOptions } from './run-native.js';
/**
 * Options of {@link Masker.load}.
 * @interface
 */
export type MaskerOptions = z.input<typeof maskerSchema>;
/**
 * Options of {@link Masker.threshold}.
 * @interface
 */
export type ThresholdOptions = z.input<typeof thresholdSchema>;
/**
 * Options of {@link Masker.attention}.
 * @interface
 */
export type AttentionOptions = z.input<typeof attentionSchema>;
/**
 * How a mask is found: in the part by a network or by its distance from the blank, by where the model looked, or for
 * variations of real pairs by where the defect was put.
 */
export type MaskMethod = 'u2net' | 'attention' | 'threshold' | 'layout';
/** A mask: one channel of 0 and 255, of its part's size. */
export interface Mask extends RawImage {
    channels: 1;
    /** The share of pixels that are set, 0 to 1; 0 says that no defect was found. */
    coverage: number;
}
/**
 * Finds the defect in an anomaly part.
 *
 * @example
 * const masker = await Masker.load();
 * const mask = await masker.mask(pair.part);
 */
export declare class Masker {
    #private;
    readonly method: MaskMethod;
    private constructor();
    /**
     * U2-Net or U2-NetP (or a smaller one) from `.safetensors` or `.pth`; without a file, the embedded one. A pixel belongs
     * to the mask where the saliency, spread to 0..1, is at least `threshold` (0.5 by default). Where the network finds
     * nothing, with a probability below 0.05 everywhere, the mask is empty.
     * Throws ERR_WEIGHTS_INVALID naming the file and the reason; nothing in the file is executed.
     */
    static load(file?: string, options?: MaskerOptions): Promise<Masker>;
    /** A pixel belongs to the mask where its distance from the part's fill is at least `threshold` (0.12 by default). */
    static threshold(options?: ThresholdOptions): Masker;
    /**
     * For pairs that were sampled with `attention`: a pixel belongs to the mask where the attention map, spread to 0..1, is
     * at least `threshold` (0.5 by default). `mask` takes the map in the part's place.
     */
    static attention(options?: AttentionOptions): Masker;
    /** For pairs that were sampled with `layouts`: the mask that they carry. `mask` takes it in the part's place. */
    static layout(): Masker;
    /** The mask of a pair: of its part, of its attention map, or its own. */
    maskPair(pair: Pair, options?: TaskOptions): Promise<Mask>;
    /**
     * The mask of a part of any size; empty for a part of one colour, grain aside.
     * Throws ERR_NON_FINITE naming the weights whose results are not finite.
     */
    mask(part: RawImage, options?: TaskOptions): Promise<Mask>;
    /** Frees the network. May be called twice. */
    dispose(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

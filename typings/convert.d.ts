import type { z } from 'zod';
import { convertAdapterSchema, convertCheckpointSchema } from './options/schemas.js';
/**
 * Options of {@link convertAdapter}.
 * @interface
 */
export type ConvertAdapterOptions = z.input<typeof convertAdapterSchema>;
/**
 * Options of {@link convertCheckpoint}.
 * @interface
 */
export type ConvertCheckpointOptions = z.input<typeof convertCheckpointSchema>;
/** What a conversion did to an adapter. */
export interface AdapterConversion {
    /** Numbers stored, of all tensors. */
    numbers: number;
    /**
     * For each layer whose SAIM was reduced, the change of its two folded matrices relative to the whole (Frobenius norm).
     */
    saimErrors: {
        layer: string;
        scores: number;
        values: number;
    }[];
    /** What the reader of the new file must know; empty where there is nothing. */
    notes: string[];
}
/**
 * Writes an adapter (own or published) in another layout or precision. The published layout is what the published
 * scripts load: `.bin` or `.safetensors`.
 * Throws ERR_WEIGHTS_INVALID for a damaged file, ERR_INVALID_OPTION for what cannot be written, ERR_FILE_ACCESS where
 * `out` exists.
 */
export declare function convertAdapter(input: string, out: string, options?: ConvertAdapterOptions): Promise<AdapterConversion>;
/**
 * Writes a base (a checkpoint file in the original naming, or a diffusers folder) as a diffusers folder.
 * Throws ERR_MODEL_INVALID for a file of another kind, ERR_FILE_ACCESS where `out` exists.
 */
export declare function convertCheckpoint(input: string, out: string, options?: ConvertCheckpointOptions): Promise<void>;

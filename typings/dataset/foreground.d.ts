import type { z } from 'zod';
import type { RawImage } from '../image.js';
import { Masker } from '../masker.js';
import type { foregroundSchema } from '../options/schemas.js';
import { type Fit } from './fit.js';
import { type Kernel, type Stored } from './image-file.js';
/** Masks in a folder, a mask model that is shown the image, or none: all of the image is background. */
export type ForegroundSource = 'none' | {
    folder: string;
} | {
    masker: Masker;
};
/** A good image as a square, and its foreground as one channel of 0 and 255. */
export interface Background {
    /** The file. */
    file: string;
    image: RawImage;
    foreground: RawImage;
}
/**
 * Where foregrounds come from.
 * @interface
 */
export type ForegroundOptions = z.output<typeof foregroundSchema>;
/** Calls `use` with the source that the options ask for, which lives as long as the call. */
export declare function withForegroundSource<T>({ foregroundMasks, foregroundWeights }: ForegroundOptions, device: string, use: (source: ForegroundSource) => Promise<T>): Promise<T>;
/**
 * The image's foreground, fitted as the image is: `refit` makes a mask of the file's size into what `fitted` shows.
 * Throws ERR_DATASET_INVALID naming the file.
 */
export declare function foregroundOf(source: ForegroundSource, image: Stored, fitted: RawImage, refit: (mask: RawImage) => Promise<RawImage>): Promise<RawImage>;
/**
 * Decodes good images to squares of `resolution` around their middle, resized by `kernel` (`linear` by default, as
 * published).
 */
export declare function loadBackgrounds(files: string[], resolution: number, fit: Fit, source: ForegroundSource, kernel?: Kernel): Promise<Background[]>;

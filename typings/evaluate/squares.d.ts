import { type Example } from '../dataset/dataset.js';
/** An image as a detector sees it. */
export interface Square {
    name: string;
    /** RGB. */
    pixels: Uint8Array;
    /** 0 and 255; nothing set in a good image. */
    mask: Uint8Array;
}
/** Defects with their masks, stretched to squares, a few at a time. Throws ERR_DATASET_INVALID naming the file. */
export declare function loadDefects(examples: readonly Example[], size: number): AsyncGenerator<Square[]>;
/** Good images, stretched to squares, a few at a time. */
export declare function loadGood(files: readonly string[], size: number): AsyncGenerator<Square[]>;
/** The images of a folder that may be missing. */
export declare function imagesIfAny(folder: string): Promise<string[]>;

import type { Example } from '../dataset/dataset.js';
import type { Square } from '../pool.js';
/** An image as a detector sees it. */
export interface NamedSquare extends Square {
    name: string;
}
/** Defects with their masks, stretched to squares, a few at a time. Throws ERR_DATASET_INVALID naming the file. */
export declare function loadDefects(examples: readonly Example[], size: number): AsyncGenerator<NamedSquare[]>;
/** Good images, stretched to squares, a few at a time. */
export declare function loadGood(files: readonly string[], size: number): AsyncGenerator<NamedSquare[]>;

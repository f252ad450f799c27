import type { Split } from './split.js';
/**
 * The split without the images to test on that train, too, and how many they are. Throws ERR_DATASET_INVALID naming one
 * where none of a type, or no good one, would be left.
 */
export declare function withoutOverlap(split: Split): Promise<Split>;

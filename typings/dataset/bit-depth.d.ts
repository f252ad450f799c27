import { type Decoded } from './decode.js';
/** The largest sample, without alpha. */
export declare function largest({ data, channels, alpha }: Decoded): number;
/**
 * The bits that a 16-bit image's samples use: 16, or fewer where no image of its category (or folder) uses more.
 * Throws ERR_DATASET_INVALID for an image that is out of the others' range.
 */
export declare function bitDepthOf(image: Decoded): Promise<number>;

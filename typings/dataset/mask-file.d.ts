import type { RawImage } from '../image.js';
import { type Stored } from './image-file.js';
/** A mask as one channel of 0 and 255, turned as its EXIF orientation says. Throws ERR_DATASET_INVALID naming the file. */
export declare function readMask(path: string): Promise<RawImage>;
/**
 * The mask of an image that was turned by its own orientation. Programs that draw masks turn the image first, or do not;
 * the mask's own orientation says which, or else the sizes.
 * Throws ERR_DATASET_INVALID where neither does, and where the sizes differ. `what` names the mask in errors.
 */
export declare function readMaskOf(image: Stored, path: string, what?: string): Promise<RawImage>;

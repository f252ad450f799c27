import type { RawImage } from '../image.js';
import { type Stored } from './image-file.js';
/** An image and its mask, of one size and lying on each other. Throws ERR_DATASET_INVALID naming the file. */
export declare function readExample(files: {
    image: string;
    mask: string;
}): Promise<{
    image: RawImage;
    stored: Stored;
    mask: RawImage;
}>;

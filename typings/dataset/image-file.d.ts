import type { RawImage } from '../image.js';
/** How an image lies in its file, for a mask that goes with it. */
export interface Stored {
    path: string;
    /** Before it is turned. */
    width: number;
    height: number;
    /** EXIF orientation, 1 to 8. */
    orientation: number;
}
/** Throws ERR_DATASET_INVALID for floats out of 0 to 1: nothing says which of them is white. */
export declare function refuseOtherFloats(path: string, data: Float32Array): void;
/** An image as RGB, turned as its EXIF orientation says, and how it lies in its file. */
export declare function readStored(path: string, blank?: number): Promise<{
    image: RawImage;
    stored: Stored;
}>;
/**
 * An image as RGB, turned as its EXIF orientation says; grey is repeated. Transparent pixels show `blank`, 0 to 255, or
 * the colour stored for them where it is not given.
 * Throws ERR_DATASET_INVALID naming the file.
 */
export declare function readImage(path: string, { blank }?: {
    blank?: number;
}): Promise<RawImage>;
/** A PNG file's bytes. */
export declare function encodePng({ data, width, height, channels }: RawImage): Promise<Buffer>;
/** How pixels are weighted where an image is resized: bilinear, as the published code does it, or sharp (Lanczos). */
export type Kernel = 'linear' | 'lanczos3';
/** Resized to exactly width x height. */
export declare function resizeImage(image: RawImage, width: number, height: number, kernel?: Kernel): Promise<RawImage>;

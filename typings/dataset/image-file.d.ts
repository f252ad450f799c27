import type { RawImage } from '../image.js';
/** Endings of the files that count as images. */
export declare const IMAGE_ENDINGS: RegExp;
/** An image as RGB, turned as its EXIF orientation says; grey is repeated, transparency is dropped. */
export declare function readImage(path: string): Promise<RawImage>;
/** A mask as one channel, turned as its EXIF orientation says. */
export declare function readMask(path: string): Promise<RawImage>;
/** A PNG file's bytes. */
export declare function encodePng({ data, width, height, channels }: RawImage): Promise<Buffer>;
/** How pixels are weighted where an image is resized: bilinear, as the published code does it, or sharp (Lanczos). */
export type Kernel = 'linear' | 'lanczos3';
/** Resized to exactly width x height. */
export declare function resizeImage(image: RawImage, width: number, height: number, kernel?: Kernel): Promise<RawImage>;

import type { RawImage } from '../image.js';
/** Endings of the files that count as images. */
export declare const IMAGE_ENDINGS: RegExp;
/** An image as RGB, turned as its EXIF orientation says; grey is repeated, transparency is dropped. */
export declare function readImage(path: string): Promise<RawImage>;
/** A mask as one channel, turned as its EXIF orientation says. */
export declare function readMask(path: string): Promise<RawImage>;
/** A PNG file's bytes. */
export declare function encodePng({ data, width, height, channels }: RawImage): Promise<Buffer>;
/** Resized to exactly width x height, bilinear. */
export declare function resizeImage(image: RawImage, width: number, height: number): Promise<RawImage>;

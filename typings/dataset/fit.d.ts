import type { RawImage } from '../image.js';
/** How a picture that is not square becomes one: a square part of it, or all of it squeezed. */
export type Fit = 'crop' | 'stretch';
interface Box {
    left: number;
    top: number;
    right: number;
    bottom: number;
}
/** The smallest box around everything above one half; undefined for an empty mask. */
export declare function boundingBox(mask: RawImage): Box | undefined;
/**
 * Image and mask as squares of `resolution` pixels; the mask becomes 0 and 255.
 *
 * `crop` resizes the shorter side (bilinear, as published) and takes the square around the middle of the defect: the
 * whole defect where it fits, its middle where it does not.
 */
export declare function fitPair(image: RawImage, mask: RawImage, resolution: number, fit: Fit): Promise<{
    image: RawImage;
    mask: RawImage;
}>;
export {};

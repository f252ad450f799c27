import type { RawImage } from '../image.js';
import { type Kernel } from './image-file.js';
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
/** A mask's channel as 0 and 255, by one half. */
export declare const binarize: (mask: RawImage) => RawImage;
/**
 * A square of `resolution` pixels of an image or of a mask.
 *
 * `crop` resizes the shorter side and takes the square around the middle of what `defect`, a mask of the image's size,
 * marks: the whole defect where it fits, its middle where it does not. Without a defect, the square is around the
 * image's middle. Either way by `kernel`: bilinear where none is given, as published.
 */
export declare function fitAround(image: RawImage, defect: RawImage | undefined, resolution: number, fit: Fit, kernel?: Kernel): Promise<RawImage>;
export {};

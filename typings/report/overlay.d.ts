import type { RawImage } from '../image.js';
/** The image with its mask's outline drawn in red, so that both stay visible. */
export declare function overlay(image: RawImage, mask: RawImage): RawImage;

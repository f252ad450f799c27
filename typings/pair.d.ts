import type { RawImage } from './image.js';
/** A generated pair: the whole image with the defect, and the defect alone on blank ground. */
export interface Pair {
    /** Which pair of the seed this is; the same index and seed start from the same noise. */
    index: number;
    seed: number;
    /** RGB. */
    image: RawImage;
    /** RGB. */
    part: RawImage;
    /** Where the anomaly branch looked, one channel spread to 0..255, where `attention` was asked for. */
    attention?: RawImage;
    /** Where the defect is, one channel of 0 and 255, of variations of layouts. */
    mask?: RawImage;
}

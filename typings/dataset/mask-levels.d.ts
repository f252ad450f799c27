/** Which levels of a mask mark the defect. */
/** A mask's picture as one level a pixel: its luminance times its alpha. */
export interface Levels {
    data: Uint8Array | Uint16Array;
    width: number;
    height: number;
    /** Whether compression may have changed levels. */
    lossy: boolean;
}
/** How a mask is cut: what is at least `cut` is marked; or plateaus between off and on, which say nothing of that. */
export type Cut = {
    cut: number;
} | {
    plateaus: number[];
};
/** How many pixels have each level. */
export declare function histogramOf(data: Uint8Array | Uint16Array): Uint32Array;
/**
 * Two levels are off and on, whatever they are; one level that is not 0 marks everything. Soft edges are cut at one half
 * of the largest level. `peak` is the largest number of any channel.
 */
export declare function cutOf(mask: Levels, peak: number): Cut;

/** Pixels, row by row, channels interleaved: 3 (RGB) or 1 (grey) bytes a pixel. */
export interface RawImage {
    data: Uint8Array;
    width: number;
    height: number;
    channels: number;
}
/** The image with three channels; grey is repeated. Throws ERR_INVALID_OPTION when sizes and bytes disagree. */
export declare function toRgb(image: RawImage): RawImage;

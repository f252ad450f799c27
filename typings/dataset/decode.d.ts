/** Samples of a file as they are stored: channels interleaved, not turned. */
export interface Decoded {
    path: string;
    data: Uint8Array | Uint16Array | Float32Array;
    width: number;
    height: number;
    /** 1 (grey) or 3 (RGB), and one more where there is `alpha`. */
    channels: number;
    alpha: boolean;
    /** EXIF orientation, 1 to 8. */
    orientation: number;
    /** Whether compression may have changed levels. */
    lossy: boolean;
    /** Reads 16-bit samples as 8-bit sRGB, by the file's colour profile; only where it has one. */
    byProfile?: () => Promise<Uint8Array>;
}
/**
 * Decodes a file; by its content, not by its name. Throws ERR_FILE_ACCESS, and ERR_DATASET_INVALID where the file is
 * damaged, cut off, or holds what is not read.
 */
export declare function decodeFile(path: string, { ignoreIcc }?: {
    ignoreIcc?: boolean | undefined;
}): Promise<Decoded>;
/** Width and height of what EXIF orientation turns. */
export declare const turnedSize: ({ width, height }: {
    width: number;
    height: number;
}, orientation: number) => {
    width: number;
    height: number;
};
/** Pixels turned and mirrored as EXIF orientation says. */
export declare function turned<T extends {
    data: Uint8Array;
    width: number;
    height: number;
    channels: number;
}>(image: T, orientation: number): T;

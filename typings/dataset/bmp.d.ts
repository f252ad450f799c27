/** Pixels of 3 (RGB) or 4 (RGBA) channels. */
export interface Bitmap {
    data: Uint8Array;
    width: number;
    height: number;
    channels: 3 | 4;
}
export declare const isBmp: (bytes: Uint8Array) => boolean;
/** Decodes a bitmap of at most `maxPixels`. Throws an error that says what is wrong, and takes no memory before that. */
export declare function decodeBmp(bytes: Buffer, maxPixels: number): Bitmap;

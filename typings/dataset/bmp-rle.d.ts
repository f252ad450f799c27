/** Palette indices of run-length encoded bitmaps, 4 or 8 bits. */
interface Size {
    width: number;
    height: number;
    bits: number;
}
/** Pixels that no run reaches have colour 0. Throws where the runs end before the picture does, or leave it. */
export declare function rleIndices(bytes: Uint8Array, { width, height, bits }: Size): Uint8Array;
export {};

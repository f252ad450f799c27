/** What a TIFF file's first page says of its samples, to name those that are not read. */
/** Whether the first page's darkest number is its brightest. */
export declare const isWhiteZero: (bytes: Buffer) => boolean;
/** Such as "64-bit floats"; undefined for what is no TIFF. */
export declare function tiffSamples(bytes: Buffer): string | undefined;

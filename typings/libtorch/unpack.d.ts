/**
 * Unpacks the entries of a zip that `wanted` accepts and returns their number. Names that leave the folder (yauzl
 * refuses them), links and entries whose CRC-32 is wrong are errors. Throws ERR_LIBTORCH_DOWNLOAD.
 */
export declare function unpackZip(file: string, folder: string, wanted: (name: string) => boolean, signal?: AbortSignal): Promise<number>;

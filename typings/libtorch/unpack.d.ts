/** Unpacks the entries of a zip that `wanted` accepts. yauzl refuses names that leave the folder. */
export declare function unpackZip(file: string, folder: string, wanted: (name: string) => boolean): Promise<number>;

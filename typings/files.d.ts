/** Writes a file whole or not at all: beside its place, flushed, renamed. Makes the folder if need be. */
export declare function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void>;
/** Tells files apart: the first 16 hexadecimal digits of their SHA-256. */
export declare function fileDigest(path: string): Promise<string>;
/** The names in a folder; none where it is missing. */
export declare function namesIn(folder: string): Promise<string[]>;

/** Writes a file whole or not at all: beside its place, flushed, renamed. Makes the folder if need be. */
export declare function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void>;

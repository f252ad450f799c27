/**
 * Removes the files of a folder that a killed process left half-written. `isOurs` gets the name that a file would have
 * had, and says whether only the caller, who holds a lock, may write it: the files that a live process writes beside them
 * look the same.
 */
export declare function removePartialFiles(folder: string, isOurs: (name: string) => boolean): Promise<void>;

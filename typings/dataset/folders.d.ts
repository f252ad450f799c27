/** A file or folder. */
export interface Entry {
    /** In NFC, by which names compare. */
    name: string;
    /** As the file system has it. */
    path: string;
}
export declare const isFolder: (path: string) => Promise<boolean>;
/** A name without its ending, in NFC. */
export declare const stemOf: (path: string) => string;
/** The first few names of a list, and how many more there are. */
export declare function someOf(names: readonly string[]): string;
/**
 * The folders of a folder, links to folders among them, sorted by name; hidden ones and those that systems leave are
 * none. Throws ERR_DATASET_INVALID where two names differ only in how their letters are composed.
 */
export declare function foldersIn(folder: string): Promise<Entry[]>;
/** The folder of a name in a folder; where there is none, the path that it would have. */
export declare function folderNamed(folder: string, name: string): Promise<string>;
/**
 * The image files of a folder, sorted by name. Images in formats that are not read are named in a warning, or in
 * ERR_DATASET_INVALID where there are no others.
 */
export declare function imagesHere(folder: string): Promise<string[]>;
/** The same of a folder where all images lie: those in folders below are ERR_DATASET_INVALID, but for `ours`. */
export declare function imagesIn(folder: string, ours?: string): Promise<string[]>;
/** The image files of a folder and of those below it, sorted by path; none where it is missing. */
export declare function imagesBelow(folder: string, seen?: ReadonlySet<string>): Promise<string[]>;
/**
 * Throws ERR_DATASET_INVALID where two of the files have one name but for their endings: they would share what goes
 * by that name, `what`.
 */
export declare function refuseSameStems(files: readonly string[], what: (stem: string) => string): void;

/**
 * The path of a file below `folder`. Names that come from a file or a user pass through here before anything is written.
 * Throws ERR_INVALID_OPTION where they lead out of the folder.
 */
export declare function pathInside(folder: string, ...segments: string[]): string;

/** Says that this process writes to a place, until it is released. */
export declare class WriteLock {
    /** The folder or file. */
    readonly place: string;
    private readonly claim;
    /** The folders that were made for it, the innermost first. */
    private made;
    /** Lets others write. Folders that were made for the lock and are still empty go with it. May be called twice. */
    release(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}
/** Takes a folder, which is made if need be. Throws ERR_BUSY naming the process that writes to it. */
export declare function lockFolder(folder: string): Promise<WriteLock>;
/** Takes a file and those that belong to it. Throws ERR_BUSY naming the process that writes to it. */
export declare function lockFile(file: string): Promise<WriteLock>;

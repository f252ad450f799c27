declare const remove: (folder: string) => Promise<void>;
/** Removes what killed installs left beside `target`; folders of installs that are running stay. */
export declare function removeLeftovers(target: string): Promise<void>;
/** A folder beside `target` that names its owner, to be filled and then put in its place. */
export declare function makeWorkFolder(target: string): Promise<string>;
/** Throws where the file system has less room than `neededMb`; a system that does not say is trusted. */
export declare function requireSpace(folder: string, neededMb: number): Promise<void>;
/** The identity of a folder: another one in the same place has another. */
export declare const identityOf: (folder: string) => Promise<number | undefined>;
/**
 * Puts a filled work folder in its place. `before` is what was there when the work began: that is replaced. Where another
 * process has put a good one there meanwhile, that one stays, because somebody may be using it.
 */
export declare function putInPlace(work: string, target: string, before: number | undefined, isGood: (folder: string) => boolean): Promise<void>;
export { remove as removeFolder };

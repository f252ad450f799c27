/** The libtorch that the engine is built against. */
export declare const PINNED_TORCH = "2.11.0";
/** Where `dualanodiff libtorch install` puts libtorch: `<cache>/libtorch-<version>/torch`. */
export declare function cacheFolder(): string;
export declare const cachedLibtorch: () => string;
/** Written last by the installer: its presence says that the folder is whole. */
export declare const INSTALL_MARK = "dualanodiff-install.json";
/** Whether a folder as the installer leaves it has everything. */
export declare const isWholeInstall: (folder: string) => boolean;
/** Every place that is looked at, in order, and what is there. */
export declare function libtorchPlaces(): {
    source: 'LIBTORCH' | 'cache';
    folder: string;
    found: boolean;
}[];
/**
 * The libtorch folder that is used: `LIBTORCH` where that is set (even if nothing is there: a wrong setting is an error,
 * not a reason to look elsewhere), else the cache.
 */
export declare function findLibtorch(): string | undefined;
/** The version of a libtorch folder or a wheel's torch folder, where it says so. */
export declare function libtorchVersion(folder: string): string | undefined;

import { type Wheel } from './wheels.js';
/** Options of {@link installLibtorch}. */
export interface InstallOptions {
    /** `cuda` also unpacks libtorch's CUDA libraries. Defaults to `cpu`. */
    variant?: 'cpu' | 'cuda';
    /**
     * What to install from instead of downloading: a folder that holds every wheel, or a file or an http(s) address of a
     * libtorch zip or of one wheel (then the other wheels are downloaded).
     */
    from?: string;
    /** Install again although it is there. */
    force?: boolean;
    /** Told what happens, a line at a time. */
    log?: (line: string) => void;
    /** Ends the install; nothing is left behind. */
    signal?: AbortSignal;
}
/**
 * Downloads wheels through pip, checks each against its digest and unpacks the needed files into `folder`.
 * Throws ERR_LIBTORCH_DOWNLOAD.
 */
export declare function installWheels(wanted: Wheel[], folder: string, { cuda, log, signal }: {
    cuda: boolean;
    log: (line: string) => void;
    signal?: AbortSignal | undefined;
}): Promise<void>;
/**
 * Fills the cache with libtorch; whole or not at all. Returns the libtorch folder.
 * Throws ERR_UNSUPPORTED_PLATFORM before anything is downloaded, ERR_LIBTORCH_DOWNLOAD saying what failed and what to
 * do, ERR_FILE_ACCESS, ERR_ABORTED.
 */
export declare function installLibtorch(options?: InstallOptions): Promise<string>;

import { type Wheel } from './wheels.js';
/** Options of {@link installLibtorch}. */
export interface InstallOptions {
    /** `cuda` also unpacks libtorch's CUDA libraries. Defaults to `cpu`. */
    variant?: 'cpu' | 'cuda';
    /** An archive to use instead of downloading: a file or an http(s) address of the torch wheel or a libtorch zip. */
    from?: string;
    /** Install again although it is there. */
    force?: boolean;
    /** Told what happens, a line at a time. */
    log?: (line: string) => void;
}
/**
 * Downloads wheels through pip, checks each against its digest and unpacks what of it is kept into `folder`.
 * Throws ERR_LIBTORCH_DOWNLOAD.
 */
export declare function installWheels(wanted: Wheel[], folder: string, { cuda, log }: {
    cuda: boolean;
    log: (line: string) => void;
}): Promise<void>;
/**
 * Fills the cache with libtorch; whole or not at all. Returns the libtorch folder.
 * Throws ERR_LIBTORCH_DOWNLOAD saying what failed and what to do.
 */
export declare function installLibtorch(options?: InstallOptions): Promise<string>;

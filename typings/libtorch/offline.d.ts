import type { Wheel } from './wheels.js';
export declare function sha256Of(path: string, signal?: AbortSignal): Promise<string>;
/** What to do on a machine that cannot download: which files, how to fetch them elsewhere, how to hand them over. */
export declare function fetchElsewhere(wheels: Wheel[], { cuda }?: {
    cuda?: boolean | undefined;
}): string;
/** Throws ERR_LIBTORCH_DOWNLOAD where the file is not the pinned one. */
export declare function verifyWheel(path: string, wheel: Wheel, signal?: AbortSignal): Promise<void>;
/**
 * The file of each wheel in a folder, told by its SHA-256, so that a name that a browser changed ("… (1).whl") does not
 * matter. Throws ERR_LIBTORCH_DOWNLOAD with everything that is missing or damaged.
 */
export declare function findWheels(folder: string, wanted: Wheel[], signal?: AbortSignal): Promise<Map<Wheel, string>>;

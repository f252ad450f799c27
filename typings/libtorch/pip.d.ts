import type { Wheel } from './wheels.js';
/** The words that start pip on this machine. Throws ERR_LIBTORCH_DOWNLOAD where there is none or an old one. */
export declare function findPip(): Promise<[string, ...string[]]>;
/** The line that fetches the wheels into a folder on any machine with pip. */
export declare const downloadCommand: (wheels: Wheel[], folder: string) => string;
/** Fetches one wheel into `folder`, from where pip is set up to look. Throws ERR_LIBTORCH_DOWNLOAD. */
export declare function downloadWheel(wheel: Wheel, pip: [string, ...string[]], folder: string, signal?: AbortSignal): Promise<string>;

import type { NativeEngine } from './addon-types.js';
/** The folder of the loader and the engine that will be opened; undefined where they are not both there. */
export declare function findBinary(): string | undefined;
/**
 * The cores that are really there: the affinity of the process and the quota of its container. libtorch's threads spin
 * while they wait, so that one thread too many costs more than it gives.
 */
export declare function defaultThreads(): number;
/** The engine, opened at the first call. Throws ERR_LIBTORCH_MISSING, ERR_LIBTORCH_INCOMPATIBLE or ERR_ENGINE_MISSING. */
export declare function getEngine(): Promise<NativeEngine>;

import type { NativeEngine } from './addon-types.js';
/** Folders that may hold `dualanodiff.node` and the engine, best first. */
export declare function binaryCandidates(): string[];
/** The folder of the binary that will be loaded; undefined where none is built. */
export declare function findBinary(): string | undefined;
/**
 * The cores that are really there: the affinity of the process and the quota of its container. libtorch's threads spin
 * while they wait, so that one thread too many costs more than it gives.
 */
export declare function defaultThreads(): number;
/** The engine, opened at the first call. Throws ERR_LIBTORCH_MISSING, ERR_LIBTORCH_INCOMPATIBLE or ERR_ENGINE_MISSING. */
export declare function getEngine(): Promise<NativeEngine>;

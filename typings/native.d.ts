import type { NativeEngine } from './addon-types.js';
/** The folder of the loader and the engine that will be opened; undefined where they are not both there. */
export declare function findBinary(): string | undefined;
/**
 * The engine, opened at the first call. Throws ERR_LIBTORCH_MISSING, ERR_LIBTORCH_INCOMPATIBLE, ERR_ENGINE_MISSING or
 * ERR_UNSUPPORTED_PLATFORM.
 */
export declare function getEngine(): Promise<NativeEngine>;

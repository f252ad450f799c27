/**
 * Errors of the package. Each has a stable `code`; the message names what is wrong and says what to do.
 */
/** The base of every error that this package throws on purpose. */
export declare class DualAnoDiffError extends Error {
    /** Stable, for programs: `ERR_…`. */
    readonly code: string;
    constructor(message: string, code: string, options?: ErrorOptions);
}
/** An option has a value outside its range or of another type. */
export declare class InvalidOptionError extends DualAnoDiffError {
    constructor(message: string, options?: ErrorOptions);
}
/** libtorch is missing, incomplete, or of a version that the engine was not built for. */
export declare class LibtorchError extends DualAnoDiffError {
}
/** A base model folder, a weights file or an adapter cannot be used. */
export declare class ModelError extends DualAnoDiffError {
}
/** A dataset folder, an image or a mask cannot be used. */
export declare class DatasetError extends DualAnoDiffError {
    constructor(message: string, options?: ErrorOptions);
}
/** Training cannot go on: a loss that is not finite, or a checkpoint of other settings. */
export declare class TrainingError extends DualAnoDiffError {
}
/** Weights or an overflow gave numbers that are not finite: there is nothing to show. */
export declare class NonFiniteError extends DualAnoDiffError {
}
/** Memory of the device or the machine is used up; the process can go on. */
export declare class OutOfMemoryError extends DualAnoDiffError {
}
/** An `AbortSignal` ended the operation. */
export declare class AbortedError extends DualAnoDiffError {
    constructor(options?: ErrorOptions);
}
/** A file or folder cannot be read or written. */
export declare class FileAccessError extends DualAnoDiffError {
    constructor(message: string, options?: ErrorOptions);
}
/** The class that belongs to a native error's code. */
export declare function errorFromCode(code: string, message: string, options?: ErrorOptions): DualAnoDiffError;
/** What a file error of Node means, in words. */
export declare const fileErrorReason: ({ code, message }: NodeJS.ErrnoException) => string;
/** Runs a file operation and turns Node's error into one that names the path and the reason. */
export declare function withFileErrors<T>(what: string, path: string, operation: () => Promise<T>): Promise<T>;

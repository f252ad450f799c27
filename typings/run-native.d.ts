import type { NativeEngine, NativeProgress, NativeTask } from './addon-types.js';
/** What every long operation takes. */
export interface TaskOptions {
    /** Ends the operation within one denoising or training step; the promise rejects with the signal's reason. */
    signal?: AbortSignal | undefined;
}
/** What the package's own long operations take, too. */
export interface NativeTaskOptions extends TaskOptions {
    /** The torch thread that does the work; work on another one goes on beside it. */
    torchThread?: number;
    /** Hears every step. What it throws cancels the work and is what the promise rejects with. */
    onProgress?: NativeProgress | undefined;
}
/**
 * Starts native work and waits for it: cancels it when the signal fires, turns native errors into classes, and gives
 * them the caller's stack (native rejections carry none).
 */
export declare function runNative<R>({ signal, torchThread, onProgress }: NativeTaskOptions, start: (engine: NativeEngine, task: NativeTask, progress: NativeProgress) => Promise<R>): Promise<R>;
/** A call of the engine that answers at once, with native errors turned into classes. */
export declare function callNative<R>(call: () => R): R;
/** Throws an ERR_ABORTED error whose cause is the signal's reason, or that reason where it is one of ours. */
export declare function throwIfAborted(signal: AbortSignal | undefined): void;

import type { NativeEngine, NativeTask } from './addon-types.js';
/** What every long operation takes. */
export interface TaskOptions {
    /** Ends the operation within one denoising or training step; the promise rejects with the signal's reason. */
    signal?: AbortSignal | undefined;
}
/**
 * Starts native work and waits for it: cancels it when the signal fires, turns native errors into classes, and gives
 * them the caller's stack (native rejections carry none).
 */
export declare function runNative<R>({ signal }: TaskOptions, start: (engine: NativeEngine, task: NativeTask) => Promise<R>): Promise<R>;
/** Throws an ERR_ABORTED error whose cause is the signal's reason, or that reason where it is one of ours. */
export declare function throwIfAborted(signal: AbortSignal | undefined): void;

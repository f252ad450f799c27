import type { NativeEngine, NativeProgress, NativeTask } from './addon-types.js';
import { AbortedError, DualAnoDiffError, errorFromCode } from './core/errors.js';
import { getEngine } from './native.js';

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
export async function runNative<R>(
  { signal, torchThread = 0, onProgress }: NativeTaskOptions,
  start: (engine: NativeEngine, task: NativeTask, progress: NativeProgress) => Promise<R>,
): Promise<R> {
  throwIfAborted(signal);
  const caller = new Error();
  const engine = await getEngine();
  const task = new engine.Task(torchThread);
  const onAbort = () => task.cancel();
  signal?.addEventListener('abort', onAbort, { once: true });
  let thrown: { error: unknown } | undefined; // by onProgress
  const progress: NativeProgress = (step, steps) => {
    if (thrown) return;
    try {
      onProgress?.(step, steps);
    } catch (error) {
      thrown = { error };
      task.cancel();
    }
  };
  try {
    const result = await start(engine, task, progress);
    if (thrown)
      (result as { dispose?: () => void } | undefined)?.dispose?.(); // it was done before it could be cancelled
    else return result;
  } catch (cause) {
    if (!thrown) {
      throwIfAborted(signal);
      throw fromNative(cause, caller);
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  throw (thrown as { error: unknown }).error;
}

/** A call of the engine that answers at once, with native errors turned into classes. */
export function callNative<R>(call: () => R): R {
  const caller = new Error();
  try {
    return call();
  } catch (cause) {
    throw fromNative(cause, caller);
  }
}

function fromNative(cause: unknown, caller: Error): Error {
  const { code = 'ERR_NATIVE', message } = cause as NodeJS.ErrnoException;
  const error = errorFromCode(code, message, { cause });
  error.stack = `${error.name}: ${message}\n${(caller.stack ?? '').split('\n').slice(2).join('\n')}`;
  return error;
}

/** Throws an ERR_ABORTED error whose cause is the signal's reason, or that reason where it is one of ours. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw signal.reason instanceof DualAnoDiffError ? signal.reason : new AbortedError({ cause: signal.reason });
}

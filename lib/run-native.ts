import type { NativeEngine, NativeProgress, NativeTask } from './addon-types.js';
import { AbortedError, DualAnoDiffError, errorFromCode } from './core/errors.js';
import { getEngine } from './native.js';

/** The options of every long operation. */
export interface TaskOptions {
  /** Ends the operation within one denoising or training step. The promise then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** The additional options of long operations inside the package. */
export interface NativeTaskOptions extends TaskOptions {
  /** The torch thread that does the work. The torch threads run in parallel. */
  torchThread?: number;
  /** Receives every step. If it throws, the work is cancelled and the promise rejects with that error. */
  onProgress?: NativeProgress | undefined;
}

/**
 * Starts native work and waits for it. Cancels it when the signal fires. Turns native errors into the package's classes
 * and gives them the caller's stack, because native rejections have none.
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
  let callbackError: { error: unknown } | undefined;
  const progress: NativeProgress = (step, steps) => {
    if (callbackError) return;
    try {
      onProgress?.(step, steps);
    } catch (error) {
      callbackError = { error };
      task.cancel();
    }
  };
  try {
    const result = await start(engine, task, progress);
    if (callbackError)
      // The work had finished before it could be cancelled.
      (result as { dispose?: () => void } | undefined)?.dispose?.();
    else return result;
  } catch (cause) {
    if (!callbackError) {
      throwIfAborted(signal);
      throw fromNative(cause, caller);
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  throw (callbackError as { error: unknown }).error;
}

/** Makes a synchronous call of the engine and turns native errors into the package's classes. */
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

/** Throws ERR_ABORTED with the signal's reason as its cause. If the reason is an error of this package, throws that. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw signal.reason instanceof DualAnoDiffError ? signal.reason : new AbortedError({ cause: signal.reason });
}

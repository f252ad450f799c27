/**
 * Finds libtorch and loads the engine through the loader, once for each JavaScript thread. No other file imports the
 * engine.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import type { NativeEngine } from './addon-types.js';
import { ENGINE, findBinary } from './core/binary.js';
import { errorFromCode, LibtorchError } from './core/errors.js';
import { packageRoot } from './core/paths.js';
import { defaultThreads } from './core/threads.js';
import { findLibtorch, libtorchVersion, PINNED_TORCH } from './libtorch/locate.js';
import { requirePlatform } from './libtorch/requirements.js';

interface Loader {
  load(libtorchLibFolder: string, enginePath: string): NativeEngine;
}

const nodeRequire = createRequire(import.meta.url);

function openEngine(): NativeEngine {
  requirePlatform();
  const folder = findBinary();
  if (!folder) {
    throw new LibtorchError(
      `The native engine for ${process.platform}-${process.arch} was not found in ${process.env.DUALANODIFF_BINARY ?? packageRoot}. In a clone of the repository run \`node scripts/setup.mjs\`; in an installed package, reinstall it on linux-x64, which is what it is built for.`,
      'ERR_ENGINE_MISSING',
    );
  }
  const libtorch = findLibtorch();
  if (!libtorch) {
    throw new LibtorchError(
      'libtorch was not found. Install it with `npx dualanodiff libtorch install`, or set LIBTORCH to a libtorch folder.',
      'ERR_LIBTORCH_MISSING',
    );
  }
  const version = libtorchVersion(libtorch);
  if (version !== undefined && !version.startsWith(PINNED_TORCH)) {
    throw new LibtorchError(
      `The engine was built for libtorch ${PINNED_TORCH}, but ${libtorch} holds ${version}. Run \`npx dualanodiff libtorch install\`, or set LIBTORCH to a folder with ${PINNED_TORCH}.`,
      'ERR_LIBTORCH_INCOMPATIBLE',
    );
  }
  try {
    const loader = nodeRequire(join(folder, 'dualanodiff.node')) as Loader;
    return loader.load(join(libtorch, 'lib'), join(folder, ENGINE));
  } catch (cause) {
    const { code = 'ERR_ENGINE_MISSING', message } = cause as NodeJS.ErrnoException;
    throw errorFromCode(code, `${message}. Run \`npx dualanodiff doctor\` to see what is installed.`, { cause });
  }
}

let engine: NativeEngine | undefined;
let ready: Promise<void> | undefined;

/**
 * Returns the engine and loads it at the first call. Throws ERR_LIBTORCH_MISSING, ERR_LIBTORCH_INCOMPATIBLE,
 * ERR_ENGINE_MISSING or ERR_UNSUPPORTED_PLATFORM.
 */
export async function getEngine(): Promise<NativeEngine> {
  if (!engine) {
    const threads = defaultThreads(); // This comes first so that an invalid OMP_NUM_THREADS is reported before loading.
    const opened = openEngine();
    engine = opened;
    ready = opened.setThreads(threads, new opened.Task(0));
    // In a worker, Node's cleanup of the environment waits for the engine's thread.
    if (isMainThread) process.once('exit', (code) => opened.shutdown(code));
  }
  await ready;
  return engine;
}

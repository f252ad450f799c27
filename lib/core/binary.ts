/** Finds the native files of the package. This file opens none of them. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { packageRoot } from './paths.js';

const nodeRequire = createRequire(import.meta.url);
/** The engine's file name. The engine lies in the loader's folder. */
export const ENGINE = 'dualanodiff-engine.so';

/**
 * Returns the path of the loader. DUALANODIFF_BINARY names its folder, and node-gyp-build searches for it otherwise.
 * The result is undefined if node-gyp-build finds nothing.
 */
function findLoader(): string | undefined {
  const own = process.env.DUALANODIFF_BINARY;
  if (own) return join(own, 'dualanodiff.node');
  try {
    return (nodeRequire('node-gyp-build') as { path(folder: string): string }).path(packageRoot);
  } catch {
    return undefined; // node-gyp-build throws if the package has no binary for this platform.
  }
}

/** Returns the folder that holds the loader and the engine. The result is undefined if either file is missing. */
export function findBinary(): string | undefined {
  const loader = findLoader();
  if (loader === undefined || !existsSync(loader) || !existsSync(join(dirname(loader), ENGINE))) return undefined;
  return dirname(loader);
}

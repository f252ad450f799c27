/** This file looks for the native files of the package. It opens none of them. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { packageRoot } from './paths.js';

const nodeRequire = createRequire(import.meta.url);
/** The engine's file, beside the loader's. */
export const ENGINE = 'dualanodiff-engine.so';

/** Where the loader is: the folder in DUALANODIFF_BINARY, else where node-gyp-build finds it; undefined for nowhere. */
function findLoader(): string | undefined {
  const own = process.env.DUALANODIFF_BINARY;
  if (own) return join(own, 'dualanodiff.node');
  try {
    return (nodeRequire('node-gyp-build') as { path(folder: string): string }).path(packageRoot);
  } catch {
    return undefined; // it found nothing for this platform
  }
}

/** The folder of the loader and the engine that will be opened; undefined where they are not both there. */
export function findBinary(): string | undefined {
  const loader = findLoader();
  if (loader === undefined || !existsSync(loader) || !existsSync(join(dirname(loader), ENGINE))) return undefined;
  return dirname(loader);
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheRoot } from '../core/paths.js';

/** The version of libtorch that the engine is built against. */
export const PINNED_TORCH = '2.11.0';

/** Returns the folder that `dualanodiff libtorch install` fills. libtorch itself is in its subfolder `torch`. */
export const cacheFolder = (): string => join(cacheRoot(), `libtorch-${PINNED_TORCH}`);

export const cachedLibtorch = (): string => join(cacheFolder(), 'torch');

/** The file that the installer writes last. Its presence means that the folder is complete. */
export const INSTALL_MARK = 'dualanodiff-install.json';

const hasLibtorch = (folder: string): boolean => existsSync(join(folder, 'lib', 'libtorch_cpu.so'));

/** Returns true if the installer has finished filling a folder. */
export const isCompleteInstall = (folder: string): boolean =>
  hasLibtorch(join(folder, 'torch')) && existsSync(join(folder, INSTALL_MARK));

/** Lists the places that are searched for libtorch, in order, and whether it was found there. */
export function libtorchPlaces(): { source: 'LIBTORCH' | 'cache'; folder: string; found: boolean }[] {
  const places: { source: 'LIBTORCH' | 'cache'; folder: string; found: boolean }[] = [];
  const wanted = process.env.LIBTORCH;
  if (wanted) places.push({ source: 'LIBTORCH', folder: wanted, found: hasLibtorch(wanted) });
  const cached = cachedLibtorch();
  places.push({
    source: 'cache',
    folder: cached,
    found: isCompleteInstall(cacheFolder()),
  });
  return places;
}

/**
 * Finds the libtorch folder. If `LIBTORCH` is set, only that folder is searched, because a wrong setting must be an
 * error. Otherwise the cache is searched. Returns undefined if libtorch is not there.
 */
export function findLibtorch(): string | undefined {
  const [first] = libtorchPlaces();
  return first?.found ? first.folder : undefined;
}

/** Reads the version of a libtorch folder or of a wheel's torch folder. Returns undefined if no file states it. */
export function libtorchVersion(folder: string): string | undefined {
  const sources: [string, RegExp][] = [
    ['version.py', /__version__ = '([^']+)'/],
    ['build-version', /^(\S+)/],
    [join('include', 'torch', 'version.h'), /#define TORCH_VERSION "?([0-9][^"\s]*)/],
  ];
  for (const [name, pattern] of sources) {
    const path = join(folder, name);
    const found = existsSync(path) ? pattern.exec(readFileSync(path, 'utf8'))?.[1] : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The libtorch that the engine is built against. */
export const PINNED_TORCH = '2.11.0';

/** Where `dualanodiff libtorch install` puts libtorch: `<cache>/libtorch-<version>/torch`. */
export function cacheFolder(): string {
  const base =
    process.env.DUALANODIFF_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'dualanodiff');
  return join(base, `libtorch-${PINNED_TORCH}`);
}

export const cachedLibtorch = (): string => join(cacheFolder(), 'torch');

/** Written last by the installer: its presence says that the folder is whole. */
export const INSTALL_MARK = 'dualanodiff-install.json';

const looksWhole = (folder: string): boolean => existsSync(join(folder, 'lib', 'libtorch_cpu.so'));

/** Whether a folder as the installer leaves it has everything. */
export const isWholeInstall = (folder: string): boolean =>
  looksWhole(join(folder, 'torch')) && existsSync(join(folder, INSTALL_MARK));

/** Every place that is looked at, in order, and what is there. */
export function libtorchPlaces(): { source: 'LIBTORCH' | 'cache'; folder: string; found: boolean }[] {
  const places: { source: 'LIBTORCH' | 'cache'; folder: string; found: boolean }[] = [];
  const wanted = process.env.LIBTORCH;
  if (wanted) places.push({ source: 'LIBTORCH', folder: wanted, found: looksWhole(wanted) });
  const cached = cachedLibtorch();
  places.push({
    source: 'cache',
    folder: cached,
    found: isWholeInstall(cacheFolder()),
  });
  return places;
}

/**
 * The libtorch folder that is used: `LIBTORCH` where that is set (even if nothing is there: a wrong setting is an error,
 * not a reason to look elsewhere), else the cache.
 */
export function findLibtorch(): string | undefined {
  const [first] = libtorchPlaces();
  return first?.found ? first.folder : undefined;
}

/** The version of a libtorch folder or a wheel's torch folder, where it says so. */
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

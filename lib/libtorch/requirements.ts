import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { DualAnoDiffError } from '../core/errors.js';
import { isOlder, REQUIRED, thisPlatform, unsupportedPlatform } from '../core/platform.js';

/** Throws ERR_UNSUPPORTED_PLATFORM, which says what to use instead, where the package cannot run. */
export function requirePlatform(platform = thisPlatform()): void {
  const unsupported = unsupportedPlatform(platform);
  if (unsupported)
    throw new DualAnoDiffError(`${unsupported.reason}. ${unsupported.advice}`, 'ERR_UNSUPPORTED_PLATFORM');
}

/** The newest version of a symbol set, such as GLIBCXX, that a library defines or asks for. Read from its strings. */
export function newestSymbolVersion(file: string, set: 'GLIBC' | 'GLIBCXX'): string | undefined {
  const text = readFileSync(file, 'latin1');
  let newest: string | undefined;
  for (const [, version] of text.matchAll(new RegExp(`\\0${set}_(\\d+(?:\\.\\d+)+)(?=\\0)`, 'g'))) {
    if (version !== undefined && (newest === undefined || isOlder(newest, version))) newest = version;
  }
  return newest;
}

/** What the engine in a folder needs; what the package promises where there is none. */
export function engineNeeds(binaryFolder: string | undefined): { glibc: string; glibcxx: string } {
  if (binaryFolder === undefined) return REQUIRED;
  const engine = join(binaryFolder, 'dualanodiff-engine.so');
  return {
    glibc: newestSymbolVersion(engine, 'GLIBC') ?? REQUIRED.glibc,
    glibcxx: newestSymbolVersion(engine, 'GLIBCXX') ?? REQUIRED.glibcxx,
  };
}

/** The libstdc++ that Node has opened, which the engine gets, too; undefined where Node brings its own inside. */
export function libstdcxx(sharedObjects = thisPlatform().sharedObjects): { file: string; version: string } | undefined {
  const opened = sharedObjects.find((file) => /\/libstdc\+\+\.so/.test(file));
  if (opened === undefined) return undefined;
  const file = realpathSync(opened);
  return { file, version: newestSymbolVersion(file, 'GLIBCXX') ?? 'unknown' };
}

/** What to do where libstdc++ is too old; undefined where it is not. `needed` is a version of GLIBCXX. */
export const libstdcxxAdvice = (version: string, needed: string): string | undefined =>
  isOlder(version, needed)
    ? `GLIBCXX_${needed} is needed: update libstdc++6 (GCC 12 or newer), or put the folder of a newer libstdc++.so.6 (conda's libstdcxx-ng has one) first in LD_LIBRARY_PATH`
    : undefined;

/** Throws ERR_UNSUPPORTED_PLATFORM where the engine in a folder would not find the libstdc++ that it needs. */
export function requireLibstdcxx(binaryFolder: string | undefined): void {
  if (binaryFolder === undefined) return; // it will be built here
  const found = libstdcxx();
  const advice = found && libstdcxxAdvice(found.version, engineNeeds(binaryFolder).glibcxx);
  if (advice)
    throw new DualAnoDiffError(
      `${found.file} ends at GLIBCXX_${found.version}. ${advice}.`,
      'ERR_UNSUPPORTED_PLATFORM',
    );
}

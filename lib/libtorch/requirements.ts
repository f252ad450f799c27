import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { DualAnoDiffError } from '../core/errors.js';
import { isOlder, REQUIRED, thisPlatform, unsupportedPlatform } from '../core/platform.js';

/** Throws ERR_UNSUPPORTED_PLATFORM if the package cannot run here. The message names an alternative. */
export function requirePlatform(platform = thisPlatform()): void {
  const unsupported = unsupportedPlatform(platform);
  if (unsupported)
    throw new DualAnoDiffError(`${unsupported.reason}. ${unsupported.advice}`, 'ERR_UNSUPPORTED_PLATFORM');
}

/** Reads the newest version of a symbol set, such as GLIBCXX, that a library defines or needs, from its strings. */
export function newestSymbolVersion(file: string, set: 'GLIBC' | 'GLIBCXX'): string | undefined {
  const text = readFileSync(file, 'latin1');
  let newest: string | undefined;
  for (const [, version] of text.matchAll(new RegExp(`\\0${set}_(\\d+(?:\\.\\d+)+)(?=\\0)`, 'g'))) {
    if (version !== undefined && (newest === undefined || isOlder(newest, version))) newest = version;
  }
  return newest;
}

/** Returns the library versions that the engine in a folder needs. Without an engine, they are the documented ones. */
export function engineNeeds(binaryFolder: string | undefined): { glibc: string; glibcxx: string } {
  if (binaryFolder === undefined) return REQUIRED;
  const engine = join(binaryFolder, 'dualanodiff-engine.so');
  return {
    glibc: newestSymbolVersion(engine, 'GLIBC') ?? REQUIRED.glibc,
    glibcxx: newestSymbolVersion(engine, 'GLIBCXX') ?? REQUIRED.glibcxx,
  };
}

/** Finds the libstdc++ that Node has loaded, which the engine shares. Returns undefined if Node links it statically. */
export function libstdcxx(sharedObjects = thisPlatform().sharedObjects): { file: string; version: string } | undefined {
  const opened = sharedObjects.find((file) => /\/libstdc\+\+\.so/.test(file));
  if (opened === undefined) return undefined;
  const file = realpathSync(opened);
  return { file, version: newestSymbolVersion(file, 'GLIBCXX') ?? 'unknown' };
}

/** Explains how to replace a libstdc++ that is too old. Returns undefined if it is new enough. */
export const libstdcxxAdvice = (version: string, needed: string): string | undefined =>
  isOlder(version, needed)
    ? `GLIBCXX_${needed} is needed: update libstdc++6 (GCC 12 or newer), or put the folder of a newer libstdc++.so.6 (conda's libstdcxx-ng has one) first in LD_LIBRARY_PATH`
    : undefined;

/** Throws ERR_UNSUPPORTED_PLATFORM if this process's libstdc++ is too old for the engine in a folder. */
export function requireLibstdcxx(binaryFolder: string | undefined): void {
  if (binaryFolder === undefined) return; // The engine will be built here, against this libstdc++.
  const found = libstdcxx();
  const advice = found && libstdcxxAdvice(found.version, engineNeeds(binaryFolder).glibcxx);
  if (advice)
    throw new DualAnoDiffError(
      `${found.file} ends at GLIBCXX_${found.version}. ${advice}.`,
      'ERR_UNSUPPORTED_PLATFORM',
    );
}

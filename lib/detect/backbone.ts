/** Finds the backbones that detectors, and comparisons of pairs, describe images by. */
import { resolve } from 'node:path';
import { InvalidOptionError } from '../core/errors.js';
import { fileDigest } from '../core/files.js';
import { type BackboneName, type WeightsName, weightsNames } from '../options/names.js';
import { areInstalled, weightsFile } from '../weights/locate.js';
import { type DetectorKind, USUAL_BACKBONE } from './kinds.js';

export interface Backbone {
  name: BackboneName;
  /** The path of its weights. It is empty for random weights. */
  file: string;
  /** The digest of the file. */
  digest: string;
}

export interface BackboneOptions {
  backbone?: BackboneName | undefined;
  backboneWeights?: string | undefined;
}

const installable = (name: string): name is WeightsName => (weightsNames as readonly string[]).includes(name);

/** Returns the file of a backbone's weights, or undefined if there is none. */
function fileOf(name: BackboneName, { backbone, backboneWeights }: BackboneOptions): string | undefined {
  if (name === backbone && backboneWeights !== undefined) return resolve(backboneWeights);
  return installable(name) && areInstalled(name) ? weightsFile(name) : undefined;
}

function missingWeights(reader: string, name: BackboneName): InvalidOptionError {
  const install = installable(name) ? `run \`dualanodiff weights install ${name}\`, or ` : '';
  return new InvalidOptionError(
    `${reader} needs the weights of ${name}: ${install}give backbone ${name} and the file as backboneWeights`,
  );
}

/**
 * Returns the backbone of a detector: the chosen one if the detector can use it, or else the detector's own. It is
 * undefined for a detector that has none. Throws ERR_INVALID_OPTION if its weights are missing.
 */
export async function backboneOf(kind: DetectorKind, options: BackboneOptions): Promise<Backbone | undefined> {
  const { backbone } = options;
  const [own] = kind.backbones;
  if (own === undefined) return undefined;
  const name = backbone !== undefined && kind.backbones.includes(backbone) ? backbone : own;
  const file = fileOf(name, options);
  if (file !== undefined) return { name, file, digest: await fileDigest(file) };
  if (kind.startsRandom) return { name, file: '', digest: '' };
  throw missingWeights(kind.name, name);
}

/**
 * Returns the network that generated pairs are compared by: the chosen backbone, or else MobileNetV2. It is undefined if
 * there are no weights of this one. Others are not tried, because figures must not depend on what happens to be installed.
 */
export async function comparisonBackbone(options: BackboneOptions): Promise<Backbone | undefined> {
  const name = options.backbone ?? USUAL_BACKBONE;
  const file = fileOf(name, options);
  return file === undefined ? undefined : { name, file, digest: await fileDigest(file) };
}

/** Throws ERR_INVALID_OPTION for a chosen backbone that none of the detectors can use, unless pairs are compared by it. */
async function requireReader(
  kinds: readonly DetectorKind[],
  backbone: BackboneName,
  options: BackboneOptions,
  comparesPairs: boolean,
): Promise<void> {
  if (kinds.some(({ backbones }) => backbones.includes(backbone))) return;
  if (!comparesPairs) {
    const known = kinds.map(({ name, backbones }) => `${name} has ${backbones.join(', ') || 'none'}`);
    throw new InvalidOptionError(`No detector can use the backbone ${backbone}: ${known.join('; ')}`);
  }
  const file = fileOf(backbone, options);
  if (file === undefined) throw missingWeights('The comparison of generated pairs', backbone);
  await fileDigest(file); // A missing file is found now and not after hours of making pairs.
}

/**
 * Returns the backbones of detectors by their names. With `comparesPairs` the chosen one may be for comparing generated
 * pairs only. Throws ERR_INVALID_OPTION if weights are missing, or if nothing reads an option.
 */
export async function backbonesOf(
  kinds: readonly DetectorKind[],
  options: BackboneOptions,
  comparesPairs = false,
): Promise<ReadonlyMap<string, Backbone>> {
  const { backbone, backboneWeights } = options;
  if (backboneWeights !== undefined && backbone === undefined) {
    throw new InvalidOptionError('Expected backbone with backboneWeights: name the network that the weights are of');
  }
  if (backbone !== undefined) await requireReader(kinds, backbone, options, comparesPairs);
  const found = new Map<string, Backbone>();
  for (const kind of kinds) {
    const one = await backboneOf(kind, options);
    if (one) found.set(kind.name, one);
  }
  return found;
}

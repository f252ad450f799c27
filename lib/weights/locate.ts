import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheRoot, embedded } from '../core/paths.js';
import type { WeightsName } from '../options/names.js';
import { catalogue, knownWeights } from './catalogue.js';

const ENDINGS = { u2net: 'safetensors', backbone: 'pth' };

/** Returns the file that `dualanodiff weights install` writes. */
export function weightsFile(name: WeightsName): string {
  const { kind } = knownWeights(name);
  return join(cacheRoot(), 'weights', `${name}.${ENDINGS[kind]}`);
}

/** Returns true if the weights are installed. Their file appears complete or not at all. */
export const areInstalled = (name: WeightsName): boolean => existsSync(weightsFile(name));

/** The model that finds the foreground of photographs where the user names none. */
export interface ForegroundModel {
  name: WeightsName | 'embedded';
  file: string;
}

/** Returns the most accurate model that is installed, or the embedded one. */
export function foregroundModel(): ForegroundModel {
  const installed = catalogue.find(({ kind, name }) => kind === 'u2net' && areInstalled(name));
  if (installed) return { name: installed.name, file: weightsFile(installed.name) };
  return { name: 'embedded', file: embedded.maskModel };
}

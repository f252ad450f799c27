import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheRoot, embedded } from '../core/paths.js';
import type { WeightsName } from '../options/names.js';
import { catalogue } from './catalogue.js';

/** Returns the file that `dualanodiff weights install` writes. */
export const weightsFile = (name: WeightsName): string => join(cacheRoot(), 'weights', `${name}.safetensors`);

/** Returns true if the weights are installed. Their file appears complete or not at all. */
export const areInstalled = (name: WeightsName): boolean => existsSync(weightsFile(name));

/** The model that finds the foreground of photographs where the user names none. */
export interface ForegroundModel {
  name: WeightsName | 'embedded';
  file: string;
}

/** Returns the most accurate model that is installed, or the embedded one. */
export function foregroundModel(): ForegroundModel {
  const installed = catalogue.find(({ name }) => areInstalled(name));
  if (installed) return { name: installed.name, file: weightsFile(installed.name) };
  return { name: 'embedded', file: embedded.maskModel };
}

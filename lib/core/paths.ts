import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the package: the nearest one above this file that holds a package.json. */
export const packageRoot = (() => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('dualanodiff: the package folder was not found');
    folder = parent;
  }
  return folder;
})();

/** Returns the folder for everything that is installed on demand. `DUALANODIFF_CACHE` names another one. */
export const cacheRoot = (): string =>
  process.env.DUALANODIFF_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'dualanodiff');

/** The paths of the embedded base model, mask model and example dataset. */
export const embedded = {
  base: join(packageRoot, 'assets', 'base'),
  maskModel: join(packageRoot, 'assets', 'u2netp', 'u2netp.safetensors'),
  example: join(packageRoot, 'assets', 'example', 'brushed_metal'),
};

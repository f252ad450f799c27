import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own folder: the nearest one above this file with a package.json of our name. */
export const packageRoot = (() => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('dualanodiff: the package folder was not found');
    folder = parent;
  }
  return folder;
})();

/** The embedded default: a small base model, a mask model and an example set. */
export const embedded = {
  base: join(packageRoot, 'assets', 'base'),
  maskModel: join(packageRoot, 'assets', 'u2netp', 'u2netp.safetensors'),
  example: join(packageRoot, 'assets', 'example', 'brushed_metal'),
};

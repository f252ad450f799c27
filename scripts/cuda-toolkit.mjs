// Installs the CUDA compiler from NVIDIA's wheels into the project's cache, as a folder that can serve as CUDA_HOME.
// Only the build needs it. Nothing of it is shipped.
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { installWheels } from '../dist/libtorch/install.js';
import { cacheFolder } from '../dist/libtorch/locate.js';
import { wheels } from '../dist/libtorch/wheels.js';

const ANY = 'py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl';
const OLDER = 'py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl';

/** Each part is [name, version, rest of the file's name, SHA-256, size in MB]. */
const parts = [
  ['nvidia-cuda-nvcc', '13.0.88', ANY, '56fe502eb77625a12f25172caa3cdddb4e4c8ba2c8c17dba44b164761b380f03', 37],
  ['nvidia-nvvm', '13.0.88', OLDER, 'c5f41ffeb6466944a026dfa5317d7d85355c119bbec279205d22f1869d1054e0', 62],
  ['nvidia-cuda-crt', '13.0.88', ANY, '2c8043c7c9e02492716426e9919fc78d2c5b3b2a7a768a88e952676b08aa55a4', 1],
  ['nvidia-cuda-cccl', '13.0.85', ANY, 'e0da7ad981f3a8aff08241b5bfc1af868742a63e2762f53a5171c492ef242649', 3],
];

/** The wheels of the toolkit: the parts of the compiler, and the headers and library of the runtime. */
export const toolkitWheels = [
  ...parts.map(([name, version, tag, sha256, sizeMb]) => ({
    ...{ name, version, sha256, sizeMb, keep: /^nvidia\// },
    file: `${name.replaceAll('-', '_')}-${version}-${tag}`,
  })),
  ...wheels.filter(({ name }) => name === 'nvidia-cuda-runtime'),
];

/** Returns the toolkit's folder and downloads it if it is missing. Throws ERR_DOWNLOAD. */
export async function cudaToolkit(log) {
  const target = join(dirname(cacheFolder()), 'cuda-toolkit-13.0.88');
  const home = join(target, 'nvidia', 'cu13');
  if (existsSync(home)) return home;
  const work = await mkdtemp(`${target}-partial-`);
  try {
    await installWheels(toolkitWheels, work, { cuda: true, log });
    await symlink('libcudart.so.13', join(work, 'nvidia', 'cu13', 'lib', 'libcudart.so'));
    await rename(work, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return home;
}

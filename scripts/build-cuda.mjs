// Usage: npm run build:cuda
// Builds libdualanodiff_cuda.so beside the engine, and the tests of its kernels. Both are kept in the project's cache
// under a digest of all their inputs, so that a machine compiles unchanged kernels only once.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, findLibtorch, PINNED_TORCH } from '../dist/libtorch/locate.js';
import { cudaToolkit, toolkitWheels } from './cuda-toolkit.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const LIBRARY = 'libdualanodiff_cuda.so';
const TESTS = 'dualanodiff-kernel-tests';
const KEPT = 'cuda-build-';

function run(command, args) {
  const { status, error, stdout } = spawnSync(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status === 0) return stdout;
  console.error(stdout ?? '');
  console.error(`${command} failed: ${error?.message ?? `status ${status}`}`);
  process.exit(1);
}

/** Lists every source file of the library and the tests. */
function sources() {
  const folders = ['native/core', 'native/cuda', 'native/ops', 'native/ops/cuda', 'native/tests'];
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(folder, entry.name)),
  );
  return files.filter((file) => !file.startsWith('native/tests') || file.includes('/test.')).sort();
}

function digest(libtorch) {
  const hash = createHash('sha256');
  for (const file of sources()) hash.update(file).update(readFileSync(join(root, file)));
  for (const { sha256 } of toolkitWheels) hash.update(sha256);
  return hash
    .update(PINNED_TORCH)
    .update(libtorch)
    .update(run('c++', ['--version']))
    .digest('hex')
    .slice(0, 16);
}

const libtorch = findLibtorch();
if (!libtorch) {
  console.error('libtorch was not found: run `node scripts/setup.mjs`');
  process.exit(1);
}
const cache = dirname(cacheFolder());
const kept = join(cache, KEPT + digest(libtorch));
if (existsSync(kept)) {
  console.log(`cuda: unchanged since it was compiled into ${kept}`);
} else {
  const toolkit = await cudaToolkit(console.log);
  const build = join(root, 'build-cuda');
  const settings = ['-DCMAKE_BUILD_TYPE=Release', `-DLIBTORCH=${libtorch}`, `-DCUDA_HOME=${toolkit}`];
  const hasNinja = spawnSync('ninja', ['--version']).status === 0;
  run('cmake', ['-S', join(root, 'native', 'cuda'), '-B', build, ...(hasNinja ? ['-G', 'Ninja'] : []), ...settings]);
  run('cmake', ['--build', build, '--parallel']);
  for (const name of readdirSync(cache)) {
    if (name.startsWith(KEPT)) rmSync(join(cache, name), { recursive: true, force: true });
  }
  const partial = `${kept}-partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  for (const name of [LIBRARY, TESTS]) copyFileSync(join(build, name), join(partial, name));
  renameSync(partial, kept);
}
mkdirSync(join(root, 'build', 'Release'), { recursive: true });
copyFileSync(join(kept, LIBRARY), join(root, 'build', 'Release', LIBRARY));
copyFileSync(join(kept, TESTS), join(root, 'build', TESTS));

// Usage: node scripts/build-native.mjs [--addon]
// Builds the native code with cmake-js against the libtorch that the package finds. With --addon it leaves out the
// programs of developers: tests, goldens, benchmarks and the training of the embedded models.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { findLibtorch } = await import(pathToFileURL(join(root, 'dist', 'libtorch', 'locate.js')));
const libtorch = findLibtorch();
if (!libtorch || !existsSync(join(libtorch, 'include', 'ATen', 'ATen.h'))) {
  console.error('libtorch with its headers was not found: run `node dist/cli/main.js libtorch install`');
  process.exit(1);
}
const hasNinja = spawnSync('ninja', ['--version']).status === 0;
const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');
const args = [
  'compile',
  '--directory',
  root,
  '--out',
  join(root, 'build'),
  '--config',
  'Release',
  `--CDLIBTORCH=${libtorch}`,
];
if (process.argv.includes('--addon')) args.push('--target', 'addon');
if (hasNinja) args.push('--generator', 'Ninja');
const { status } = spawnSync(process.execPath, [cmakeJs, ...args], { stdio: 'inherit' });
process.exit(status ?? 1);

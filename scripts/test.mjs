// Runs every check and test: format, lint, layers, types, native tests, goldens and vitest. The last line of the output
// is `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const shared = join(root, '..', 'shared');
/** A program that hangs must fail, so that the others still run. The limit is several times what a program needs. */
const limit = { timeout: 45 * 60_000, killSignal: 'SIGKILL' };
let passed = 0;
let failed = 0;
/** What failed, a line each. The end of the output repeats it, because a log is often cut at its beginning. */
const failures = [];

const describeExit = ({ status, signal, error }) =>
  error?.code === 'ETIMEDOUT' ? 'was ended after 45 minutes' : `ended with ${signal ?? `status ${status}`}`;

/** Runs a program that counts as one test. */
function check(name, command, args) {
  const ended = spawnSync(command, args, { stdio: 'inherit', ...limit });
  if (ended.status === 0) {
    console.log(`PASS ${name}`);
    passed++;
  } else {
    console.log(`FAIL ${name}: ${describeExit(ended)}`);
    failures.push(`${name}: ${describeExit(ended)}`);
    failed++;
  }
}

/** Maps each set of CPU kernels to how the native tests ran it: `run`, `emulated` or `not run`. */
const kernelSets = new Map();

/** Describes the processor and those of its instruction sets that the engine or libtorch uses. */
function describeCpu() {
  const text = readFileSync('/proc/cpuinfo', 'utf8');
  const value = (name) => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(text)?.[1] ?? 'unknown';
  const flags = value('flags').split(' ');
  const known = /^(fma|f16c|avx2|avx512(f|bw|vl|dq|_bf16|_fp16|_vnni)|amx_\w+)$/;
  return `${value('model name')}, ${flags.filter((flag) => known.test(flag)).join(' ') || 'no AVX2'}`;
}

/** Runs a program whose last line of output is `N passed, N failed`. */
function suite(name, command, args, env = {}) {
  const ended = spawnSync(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    ...limit,
  });
  const output = (ended.stdout ?? '').trim();
  const counts = /(\d+) passed, (\d+) failed$/.exec(output);
  const lines = output.split('\n');
  for (const line of lines.filter((row) => row.startsWith('FAIL'))) {
    console.log(line);
    failures.push(`${name}: ${line.slice('FAIL '.length)}`);
  }
  for (const [, set, how] of output.matchAll(/^KERNELS (\S+) (run|emulated|not run)$/gm)) kernelSets.set(set, how);
  const summary = `${name}: ${counts ? counts[0] : `no count of tests; the last line is '${lines.at(-1)}'`}`;
  console.log(summary);
  if (ended.status !== 0) console.log(`${name} ${describeExit(ended)}`);
  passed += Number(counts?.[1] ?? 0);
  failed += Number(counts?.[2] ?? 0);
  if (Number(counts?.[2] ?? 0) > 0 || (counts && ended.status === 0)) return;
  // The program failed outside of its tests.
  failures.push(`${summary}; it ${describeExit(ended)}`);
  failed++;
}

check('biome', process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'check']);
check('clang-format', process.execPath, ['scripts/format-native.mjs']);
check('layers', process.execPath, ['scripts/check-layers.mjs']);
check('types', process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'test/types']);
check('cuda library', process.execPath, ['scripts/build-cuda.mjs']);
suite('kernel tests', join(root, 'build', 'dualanodiff-kernel-tests'), []);
check('prebuilds', process.execPath, ['scripts/prebuild.mjs']);
check('kernels', process.execPath, ['scripts/check-kernels.mjs']);
check('glibc', process.execPath, ['scripts/check-glibc.mjs']);
const native = join(root, 'build');
if (existsSync(shared)) {
  const nativeTests = [join(native, 'dualanodiff-native-tests'), [join(shared, 'fixtures-detail')]];
  suite('native tests', ...nativeTests);
  // Most desktop computers lack AVX-512. libtorch and the kernels obey ATEN_CPU_CAPABILITY, so their code path is
  // tested too.
  if (kernelSets.get('avx512') === 'run')
    suite('native tests, as on a CPU without AVX-512', ...nativeTests, { ATEN_CPU_CAPABILITY: 'avx2' });
  suite('native tests, as on an older CPU', ...nativeTests, { ATEN_CPU_CAPABILITY: 'default' });
  suite('goldens', join(native, 'dualanodiff-golden'), [join(shared, 'fixtures')]);
  suite('goldens of place', join(native, 'dualanodiff-golden'), [join(shared, 'fixtures-place')]);
  const onStandIn = [join(shared, 'fixtures-place'), '--device', 'stand-in'];
  suite('goldens of place, as on a GPU', join(native, 'dualanodiff-golden'), onStandIn);
} else {
  failures.push(`${shared} does not exist, but goldens and native tests need it`);
  failed++;
}

const work = mkdtempSync(join(tmpdir(), 'dualanodiff-test-'));

const firstLine = (text) => text?.split('\n')[0] ?? '';

/** Runs the tests of TypeScript that the arguments choose. */
function vitest(name, ...args) {
  const report = join(work, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const ended = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...args, ...reporters], {
    stdio: 'inherit',
    ...limit,
  });
  const counts = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined;
  passed += counts?.numPassedTests ?? 0;
  failed += counts?.numFailedTests ?? 0;
  for (const file of counts?.testResults ?? []) {
    const path = relative(root, file.name);
    const tests = file.assertionResults.filter((test) => test.status === 'failed');
    for (const test of tests) failures.push(`${path}: ${test.fullName}: ${firstLine(test.failureMessages[0])}`);
    if (file.status === 'failed' && tests.length === 0)
      failures.push(`${path}: ${firstLine(file.message) || 'the file or one of its hooks failed'}`);
  }
  if (counts?.numFailedTests > 0 || (counts?.numPassedTests > 0 && ended.status === 0)) return;
  // A test file did not load.
  failures.push(`vitest, ${name}: ${describeExit(ended)}`);
  failed++;
}

try {
  // Starting a process for each of these many small files would take longer than their tests.
  vitest('unit', 'test/unit', '--fileParallelism', '--no-isolate', '--maxWorkers', '2');
  vitest('other', '--exclude', 'test/unit/**');
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(`CPU: ${describeCpu()}`);
const described = { run: 'tested here', emulated: 'emulated here, NOT run by the CPU', 'not run': 'NOT tested here' };
for (const [set, how] of kernelSets) console.log(`kernels ${set}: ${described[how]}`);
for (const failure of failures) console.log(`FAILED ${failure}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

// Every test: layers, typings, native tests, goldens, then vitest. Closes with `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const shared = join(root, '..', 'shared');
let passed = 0;
let failed = 0;

/** A program that is one test. */
function check(name, command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  console.log(`${status === 0 ? 'PASS' : 'FAIL'} ${name}`);
  if (status === 0) passed++;
  else failed++;
}

/** A program that closes with its own `N passed, N failed`. */
function suite(name, command, args, env = {}) {
  const { stdout, status } = spawnSync(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const counts = /(\d+) passed, (\d+) failed\s*$/.exec(stdout ?? '');
  for (const line of (stdout ?? '').split('\n').filter((row) => row.startsWith('FAIL'))) console.log(line);
  console.log(`${name}: ${counts ? counts[0].trim() : `ended with status ${status} and no count`}`);
  passed += Number(counts?.[1] ?? 0);
  failed += counts ? Number(counts[2]) : 1;
}

check('layers', process.execPath, ['scripts/check-layers.mjs']);
check('typings', process.execPath, ['scripts/check-typings.mjs']);
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
  suite('native tests, as on an older CPU', ...nativeTests, { ATEN_CPU_CAPABILITY: 'default' });
  suite('goldens', join(native, 'dualanodiff-golden'), [join(shared, 'fixtures')]);
} else {
  console.log(`${shared} is not there: goldens and native tests need it`);
  failed++;
}

const work = mkdtempSync(join(tmpdir(), 'dualanodiff-test-'));
try {
  const report = join(work, 'vitest.json');
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  const counts = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined;
  passed += counts?.numPassedTests ?? 0;
  failed += counts?.numFailedTests ?? 0;
  if (!counts || counts.numPassedTests === 0 || (status !== 0 && counts.numFailedTests === 0)) failed++; // a file that did not load
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

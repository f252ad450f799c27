// Usage: npm run sanitize -- address|thread
// Runs the native tests under AddressSanitizer with UBSan, or under ThreadSanitizer. libtorch is not instrumented, and
// the sanitizer cannot see the locks of its OpenMP threads. libtorch therefore runs with one thread. The tests of
// shared data start their own threads (native/tests/threads_test.cpp, engine_threads_test.cpp, profile_test.cpp).
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [sanitizer] = process.argv.slice(2);
if (!['address', 'thread'].includes(sanitizer)) {
  console.error('usage: npm run sanitize -- address|thread');
  process.exit(2);
}
function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  if (error) console.error(`${command} cannot be run: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

const { findLibtorch } = await import(pathToFileURL(join(root, 'dist', 'libtorch', 'locate.js')));
const build = join(root, `build-${sanitizer}`);
const options = [
  `-DDUALANODIFF_SANITIZE=${sanitizer}`,
  `-DLIBTORCH=${findLibtorch() ?? ''}`,
  '-DCMAKE_BUILD_TYPE=Release',
];
run('cmake', ['-S', root, '-B', build, '-G', 'Ninja', ...options]);
run('cmake', ['--build', build, '--target', 'dualanodiff-native-tests']);
run(join(build, 'dualanodiff-native-tests'), [join(root, '..', 'shared', 'fixtures-detail')], {
  OMP_NUM_THREADS: '1',
  ASAN_OPTIONS: 'detect_leaks=0', // libtorch never frees its registered operations.
  TSAN_OPTIONS: `halt_on_error=1:suppressions=${join(root, 'native', 'tests', 'thread_sanitizer.supp')}`,
});

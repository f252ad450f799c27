import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  checkCpu,
  checkDisk,
  checkGlibc,
  checkLibstdcxx,
  checkNode,
  checkPlatform,
  describeKernels,
} from '../../lib/cli/doctor-system.js';
import { findBinary } from '../../lib/core/binary.js';
import { isOlder, REQUIRED, thisPlatform, unsupportedPlatform } from '../../lib/core/platform.js';
import { engineNeeds, libstdcxx, newestSymbolVersion, requirePlatform } from '../../lib/libtorch/requirements.js';
import { cli } from '../helpers/cli.js';
import { scratchFolder } from '../helpers/scratch.js';

const root = join(import.meta.dirname, '..', '..');
const folder = scratchFolder();
const linux = { platform: 'linux', arch: 'x64', libc: 'glibc', glibc: '2.36' } as const;

/** A file that makes Node say that it runs somewhere else, when it is loaded first. */
function pretend(name: string, script: string): string {
  const file = join(folder, `${name}.cjs`);
  writeFileSync(file, script);
  return file;
}
const musl = pretend(
  'musl',
  `const get = process.report.getReport.bind(process.report);
  process.report.getReport = () => {
    const report = get();
    delete report.header.glibcVersionRuntime;
    return { ...report, sharedObjects: ['/lib/ld-musl-x86_64.so.1'] };
  };`,
);

describe('unsupportedPlatform', () => {
  it('accepts x86-64 Linux with glibc, and a Node that does not say which libc it has', () => {
    expect(unsupportedPlatform(linux)).toBeUndefined();
    expect(unsupportedPlatform({ ...linux, glibc: REQUIRED.glibc })).toBeUndefined();
    expect(unsupportedPlatform({ ...linux, libc: undefined, glibc: undefined })).toBeUndefined();
    expect(unsupportedPlatform(thisPlatform())).toBeUndefined();
  });

  it.each([
    [{ platform: 'darwin', arch: 'arm64' }, /macOS on arm64/, /emulated.*--platform linux\/amd64 node:22-bookworm/],
    [{ platform: 'darwin', arch: 'x64' }, /macOS on x64/, /container: .*--platform linux\/amd64/],
    [{ platform: 'win32', arch: 'x64' }, /Windows on x64/, /WSL2/],
    [{ platform: 'win32', arch: 'arm64' }, /Windows on arm64/, /x86-64 Linux machine or a container/],
    [{ platform: 'linux', arch: 'arm64' }, /Linux on arm64/, /linux\/amd64/],
    [{ platform: 'linux', arch: 'ia32' }, /32-bit Node/, /x64 build of Node/],
    [{ platform: 'freebsd', arch: 'x64' }, /freebsd on x64/, /container/],
    [{ libc: 'musl', glibc: undefined }, /musl/, /node:22-bookworm instead of node:22-alpine/],
    [{ glibc: '2.31' }, /glibc 2.34 or newer is needed; this system has 2.31/, /Debian 12, Ubuntu 22.04/],
  ] as const)('says why not %o, and what works', (difference, reason, advice) => {
    const found = unsupportedPlatform({ ...linux, ...difference });
    expect(found?.reason).toMatch(reason);
    expect(found?.advice).toMatch(advice);
    expect(() => requirePlatform({ ...linux, sharedObjects: [], ...difference })).toThrow(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED_PLATFORM' }),
    );
  });

  it('compares versions by their numbers', () => {
    expect(isOlder('2.9', '2.34')).toBe(true);
    expect(isOlder('3.4.30', '3.4.30')).toBe(false);
    expect(isOlder('20.19.0', '20.19')).toBe(false);
    expect(isOlder('20.18.3', '20.19')).toBe(true);
  });
});

describe('on a platform that is not supported', () => {
  it('the set-up stops before it looks for a tool', () => {
    const define = (values: string) => `Object.defineProperties(process, ${values});`;
    const mac = pretend('mac', define("{ platform: { value: 'darwin' }, arch: { value: 'arm64' } }"));
    const old = pretend('old', define("{ versions: { value: { ...process.versions, node: '20.18.3' } } }"));
    const setup = (file: string) =>
      spawnSync(process.execPath, ['-r', file, 'scripts/setup.mjs'], {
        cwd: root,
        env: { PATH: '' },
        encoding: 'utf8',
      });
    expect(setup(mac)).toMatchObject({ status: 1, stderr: expect.stringMatching(/macOS on arm64.*linux\/amd64/) });
    expect(setup(musl)).toMatchObject({ status: 1, stderr: expect.stringContaining('node:22-bookworm') });
    expect(setup(old)).toMatchObject({ status: 1, stderr: expect.stringContaining('Node 20.19 or newer is needed') });
  });

  it('`libtorch install` and jobs stop with a stable code, and `doctor` goes on', async () => {
    const env = { NODE_OPTIONS: `--require ${musl}`, DUALANODIFF_CACHE: join(folder, 'cache'), LIBTORCH: '' };
    const install = await cli(['libtorch', 'install'], { env });
    expect(install.stderr).toMatch(/^error: .*musl.*node:22-bookworm.*\(ERR_UNSUPPORTED_PLATFORM\)\n$/);
    expect(install).toMatchObject({ code: 1, stdout: '' });
    const load = `import { DualAnoDiff, embedded } from '${join(root, 'dist', 'index.js')}';
      await DualAnoDiff.load(embedded.base).catch((error) => console.log(error.code));`;
    const job = spawnSync(process.execPath, ['--input-type=module', '-e', load], {
      env: { ...process.env, ...env },
      encoding: 'utf8',
    });
    expect(job.stdout).toBe('ERR_UNSUPPORTED_PLATFORM\n');
    const doctor = await cli(['doctor', '--json'], { env });
    const { checks } = JSON.parse(doctor.stdout) as { checks: { what: string; ok: boolean; advice?: string }[] };
    expect(doctor.code).toBe(1);
    expect(checks.find(({ what }) => what === 'platform')).toMatchObject({ ok: false });
    expect(checks.find(({ what }) => what === 'libtorch')).toMatchObject({ ok: false });
    expect(checks.find(({ what }) => what === 'assets')).toMatchObject({ ok: true });
  });
});

describe('doctor', () => {
  it('compares what is there with what is needed', () => {
    expect(checkNode('20.18.3')).toMatchObject({ ok: false, advice: expect.stringContaining('20.19') });
    expect(checkNode('20.19.0').ok).toBe(true);
    expect(checkPlatform({ ...linux, sharedObjects: [], arch: 'arm64' }).ok).toBe(false);
    expect(checkGlibc('2.31', '2.34')).toMatchObject({ ok: false, found: '2.31 (2.34 or newer is needed)' });
    expect(checkGlibc('2.34', '2.34').ok).toBe(true);
    const library = { file: '/usr/lib64/libstdc++.so.6', version: '3.4.29' };
    expect(checkLibstdcxx(library, '3.4.30')).toMatchObject({
      ok: false,
      found: 'GLIBCXX_3.4.29 in /usr/lib64/libstdc++.so.6 (3.4.30 or newer is needed)',
      advice: expect.stringContaining('LD_LIBRARY_PATH'),
    });
    expect(checkLibstdcxx({ ...library, version: '3.4.30' }, '3.4.30').ok).toBe(true);
    expect(checkDisk('/cache', 500, 1088)).toMatchObject({ ok: false, advice: expect.stringContaining('1.1 GB') });
    expect(checkCpu('EPYC', new Set(['avx2', 'avx512f'])).found).toBe('EPYC, AVX-512, AVX2');
    expect(checkCpu('Atom', new Set()).found).toBe('Atom, without AVX2: slow');
  });

  it('names the CPU kernels, and says if the operating system refuses AMX', () => {
    expect(describeKernels(['avx512', 'amx'], false)).toBe('kernels avx512, amx');
    expect(describeKernels(['avx512'], true)).toContain('kernels avx512 (the operating system refuses AMX');
    expect(describeKernels([], false)).toBe('kernels of libtorch alone');
  });

  it('reads the versions from the libraries themselves', () => {
    const file = join(folder, 'library.so');
    writeFileSync(file, 'ELF\0GLIBCXX_3.4\0GLIBCXX_3.4.9\0GLIBCXX_3.4.30\0GLIBC_2.4\0GLIBC_2.17\0NOT_GLIBC_2.99\0');
    expect(newestSymbolVersion(file, 'GLIBCXX')).toBe('3.4.30');
    expect(newestSymbolVersion(file, 'GLIBC')).toBe('2.17');
    const needs = engineNeeds(findBinary());
    expect(isOlder(REQUIRED.glibc, needs.glibc)).toBe(false);
    expect(isOlder(REQUIRED.glibcxx, needs.glibcxx)).toBe(false);
    expect(isOlder(libstdcxx()?.version ?? '0', needs.glibcxx)).toBe(false); // or this test's engine would not open
  });

  it('runs without libtorch, and says that LIBTORCH names a wrong place', async () => {
    const nothing = await cli(['doctor'], { env: { LIBTORCH: '', DUALANODIFF_CACHE: join(folder, 'none', 'yet') } });
    expect(nothing.code).toBe(1);
    expect(nothing.stdout).toMatch(
      /^ok {3}glibc .*^ok {3}libstdc\+\+ .*^ok {3}cpu .*^ok {3}disk .*^FAIL libtorch .*libtorch install/ms,
    );
    const wrong = await cli(['doctor'], { env: { LIBTORCH: '/nowhere' } });
    expect(wrong.stdout).toContain('FAIL libtorch  none in /nowhere, which LIBTORCH names');
  });
});

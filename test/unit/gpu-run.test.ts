import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readBenchmark, readChecks, readCounts, readKernels, readSanitizer } from '../../scripts/gpu/outputs.mjs';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const pack = join(folder, 'pack');
const libtorch = join(folder, 'torch');

const program = (name: string, script: string) =>
  writeFileSync(join(pack, 'build', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

interface Row {
  name: string;
  result: string;
  line: string;
  time_ratio?: number;
}
/** Runs parts of a pack whose programs are the scripts above. */
function run(...args: string[]) {
  const out = join(folder, 'results');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(pack, 'run.mjs'), '--device', 'cpu', '--out', out, ...args],
    { encoding: 'utf8', env: { PATH: '/usr/bin:/bin', LIBTORCH: libtorch } },
  );
  const rows = () =>
    readFileSync(join(out, 'results.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line) as Row);
  return { status, stdout, stderr, rows, log: () => readFileSync(join(out, 'log.txt'), 'utf8') };
}

beforeAll(() => {
  cpSync(join(import.meta.dirname, '../../scripts/gpu'), pack, { recursive: true });
  mkdirSync(join(pack, 'build'));
  mkdirSync(join(libtorch, 'lib'), { recursive: true });
  writeFileSync(join(pack, 'pack.json'), '{ "revision": "abc" }');
  writeFileSync(join(libtorch, 'lib', 'libtorch_cpu.so'), '');
  writeFileSync(join(libtorch, 'version.py'), "__version__ = '2.11.0+cu130'\n");
});

describe('a run of scripts/gpu', () => {
  it('writes the result of each part, goes on past failures, and exits with 1', () => {
    program(
      'dualanodiff-golden',
      'case "$1" in *place) echo "2 passed, 0 failed";; *) echo "FAIL unet x"; echo "1 passed, 1 failed"; exit 1;; esac',
    );
    program('dualanodiff-kernel-tests', 'echo "PASS a"; kill -SEGV $$');
    program(
      'dualanodiff-bench',
      `echo '{"median_s": 2, "min_s": 1, "max_s": 3, "peak_mib": 100, "dtype": "bfloat16"}'`,
    );
    const parts = ['goldens of place', 'goldens', 'kernel tests', 'memcheck', 'training step of 2 in bf16'];
    const { status, stdout, rows, log } = run('--only', parts.join());
    expect(rows().map(({ name, result }) => [name, result])).toEqual([
      ['goldens of place', 'passed'],
      ['goldens', 'failed'],
      ['kernel tests', 'failed'],
      ['memcheck', 'not run'],
      ['training step of 2 in bf16', 'passed'],
    ]);
    const lines = rows().map(({ line }) => line);
    expect(lines.slice(0, 4)).toEqual([
      '2 passed, 0 failed',
      'status 1; 1 passed, 1 failed: FAIL unet x',
      'SIGSEGV; PASS a',
      'compute-sanitizer is not there',
    ]);
    expect(log()).toContain('=== goldens: failed\nFAIL unet x\n');
    expect(stdout).toContain('2 passed, 2 failed, 0 out of time, 1 not run');
    expect(status).toBe(1);
  });

  it('begins no part that does not fit into the budget', () => {
    const { status, rows } = run('--budget', '6', '--only', 'kernel tests');
    expect(rows()).toMatchObject([
      { result: 'not run', line: expect.stringContaining('left of the budget') as string },
    ]);
    expect(status).toBe(0);
  });

  it('refuses unknown parts and another version of libtorch, and says which there are', () => {
    expect(run('--only', 'nothing')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('kernel tests') as string,
    });
    writeFileSync(join(libtorch, 'version.py'), "__version__ = '2.9.0'\n");
    expect(run().stderr).toContain('are built for libtorch 2.11.0');
  });
});

describe('the outputs of the parts', () => {
  it('without an end are failures', () => {
    const readers = [readCounts, readChecks, readBenchmark, readKernels, readSanitizer];
    for (const read of readers) expect(read('PASS a\n{"check":"a","ok":true}\n').ok, read.name).toBe(false);
  });

  it('of checks fail with one that does not hold', () => {
    const good = '{"check":"a","ok":true}';
    expect(readChecks(`${good}\n{"checks":1}`)).toMatchObject({ ok: true, line: '1 of 1 hold' });
    const bad = '{"check":"b","ok":false,"error":"no"}';
    expect(readChecks(`${good}\n${bad}\n{"checks":2}`)).toMatchObject({ ok: false, line: '1 of 2 hold: b no' });
  });

  it('of compute-sanitizer pass if neither it nor the tests found anything', () => {
    const output = (passed: string, errors: number) =>
      `========= COMPUTE-SANITIZER\n${passed}\n========= ERROR SUMMARY: ${errors} errors\n`;
    expect(readSanitizer(output('3 passed, 0 failed', 0)).ok).toBe(true);
    expect(readSanitizer(output('3 passed, 0 failed', 2)).ok).toBe(false);
    expect(readSanitizer(output('2 passed, 1 failed', 0)).ok).toBe(false);
  });

  it('of ncu are the time of each kernel', () => {
    const row = (kernel: string, ns: string) =>
      `"0","1","bench","host","${kernel}","1","7","(1, 1, 1)","(1, 1, 1)","0","9.0","Command line profiler metrics","gpu__time_duration.sum","ns","${ns}"`;
    const { figures } = readKernels([row('a(int)', '1,500'), row('b', '400'), row('a(int)', '500')].join('\n'));
    expect(figures?.kernels.map(({ kernel, calls }) => [kernel, calls])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    expect(figures?.kernels[0]?.seconds).toBeCloseTo(2e-6, 9);
  });
});

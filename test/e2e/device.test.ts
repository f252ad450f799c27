import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { getEngine } from '../../lib/native.js';
import { cli, type Outcome, trainStains } from '../helpers/cli.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();

/** A command on a machine whose NVIDIA driver says that it has a device, which no libtorch can use. */
const withDriver = (args: string[]): Promise<Outcome> =>
  cli(args, { env: { LD_LIBRARY_PATH: `${folder}:${process.env.LD_LIBRARY_PATH ?? ''}` } });

beforeAll(() => {
  const source = join(folder, 'driver.c');
  writeFileSync(
    source,
    'int cuInit(unsigned flags) { return 0; }\nint cuDeviceGetCount(int* count) { *count = 1; return 0; }\n',
  );
  execFileSync('cc', ['-shared', '-fPIC', '-o', join(folder, 'libcuda.so.1'), source]);
});

describe('a GPU that cannot be used', () => {
  it('a GPU that libtorch cannot use is a fault that doctor names, with what to do', async () => {
    const { code, stdout } = await withDriver(['doctor', '--json']);
    expect(code).toBe(1);
    const { checks } = JSON.parse(stdout) as { checks: { what: string; ok: boolean; advice?: string }[] };
    const device = checks.find(({ what }) => what === 'device');
    expect(device?.ok).toBe(false);
    expect(device?.advice).toMatch(/libtorch install --cuda|needs driver/);
  });

  it('a GPU that libtorch cannot use fails a command that asks for it, and is a warning of one that does not', async () => {
    const steps = ['--steps', '1', '--batch-size', '1'];
    const asked = await withDriver(trainStains(join(folder, 'a.safetensors'), ...steps, '--device', 'cuda'));
    expect(asked.code).toBe(1);
    expect(asked.stderr).toMatch(/Device cuda was asked for, but .*libtorch/);
    const auto = await withDriver(trainStains(join(folder, 'a.safetensors'), ...steps));
    expect(auto.code).toBe(0);
    expect(auto.stderr).toContain('warning: The GPU of this machine cannot be used, so the CPU works: ');
  });
});

it('the engine has all of its operations', async () => {
  const { ops } = (await getEngine()).nativeInfo();
  const names = ['geglu', 'group_norm_silu', 'pair_mix_', 'pair_norm'];
  expect([...ops].sort()).toEqual(names.map((name) => `dualanodiff::${name}`));
});

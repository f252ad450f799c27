import { existsSync, readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { findBinary } from '../core/binary.js';
import { embedded, packageRoot } from '../core/paths.js';
import { defaultThreads } from '../core/threads.js';
import { findLibtorch, libtorchVersion, PINNED_TORCH } from '../libtorch/locate.js';
import { getEngine } from '../native.js';
import { foregroundModel } from '../weights/locate.js';
import type { CommandSpec } from './command.js';
import { type Check, describeKernels, systemChecks } from './doctor-system.js';

const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

function checkLibtorch(): Check {
  const folder = findLibtorch();
  const advice = 'run `npx dualanodiff libtorch install`, or set LIBTORCH to a libtorch folder';
  const named = process.env.LIBTORCH;
  if (!folder && named) {
    const found = `none in ${named}, which LIBTORCH names`;
    return { what: 'libtorch', ok: false, found, advice: 'correct LIBTORCH or unset it' };
  }
  if (!folder) return { what: 'libtorch', ok: false, found: 'not found', advice };
  const version = libtorchVersion(folder) ?? 'version unknown';
  const ok = version.startsWith(PINNED_TORCH) || version === 'version unknown';
  return {
    what: 'libtorch',
    ok,
    found: `${version} in ${folder}`,
    ...(ok ? {} : { advice: `${PINNED_TORCH} is needed: ${advice}` }),
  };
}

function checkBinary(): Check {
  const folder = findBinary();
  if (folder) return { what: 'engine', ok: true, found: folder };
  return {
    what: 'engine',
    ok: false,
    found: `none for ${process.platform}-${process.arch} in ${process.env.DUALANODIFF_BINARY ?? packageRoot}`,
    advice: 'in a clone run `node scripts/setup.mjs`; an installed package has one for linux-x64',
  };
}

/** Reports the version of the driver. A missing driver is no failure, because the engine also runs on the CPU. */
function checkDriver(): Check {
  const path = '/proc/driver/nvidia/version';
  const found = existsSync(path)
    ? (readFileSync(path, 'utf8').split('\n')[0] ?? '')
    : 'no NVIDIA driver: work runs on the CPU';
  return { what: 'driver', ok: true, found };
}

/** Reports the device. A GPU that cannot be used is a failure, but a missing GPU is not. */
async function checkDevice(): Promise<Check> {
  try {
    const engine = await getEngine();
    const { builtForTorch, kernels, isAmxRefused } = engine.nativeInfo();
    const gpu = await engine.deviceInfo(new engine.Task(0));
    const cpu = `CPU with ${defaultThreads()} threads, ${describeKernels(kernels, isAmxRefused)}, engine built for libtorch ${builtForTorch}`;
    if (gpu.reason) return { what: 'device', ok: false, found: `${cpu}; the GPU is not used`, advice: gpu.reason };
    const memory = `${gib(gpu.freeBytes)} free of ${gib(gpu.totalBytes)}`;
    const found = gpu.name ? `${gpu.name} (compute capability ${gpu.capability}), ${memory}; ${cpu}` : cpu;
    return { what: 'device', ok: true, found };
  } catch (error) {
    return { what: 'device', ok: false, found: (error as Error).message, advice: 'fix the problems listed above' };
  }
}

/** Reports how libtorch's threads wait, because spinning threads slow down a second job on the same machine. */
async function checkWaiting(): Promise<Check[]> {
  const wait = await getEngine().then(
    (engine) => engine.openMpWait,
    () => undefined, // The check of the device reports the reason.
  );
  if (wait === undefined) return [];
  const check = { what: 'waiting', ok: true };
  if (wait === 'own') return [{ ...check, found: 'threads spin for microseconds, then sleep' }];
  if (wait === 'user') return [{ ...check, found: 'threads wait as the OpenMP variables in the environment say' }];
  return [
    {
      ...check,
      found: `${wait} was open before the engine, so that its threads spin for milliseconds`,
      advice: 'set OMP_WAIT_POLICY=passive before Node starts where two jobs share one machine',
    },
  ];
}

/** Reports the model that finds foregrounds. The embedded one works, but is much less accurate. */
function checkWeights(): Check {
  const { name } = foregroundModel();
  const check = { what: 'weights', ok: true, found: `foregrounds are found by ${name}` };
  if (name !== 'embedded') return check;
  return {
    ...check,
    found: 'foregrounds are found by the small embedded model',
    advice: '`npx dualanodiff weights install u2net` installs a better one',
  };
}

export const doctor: CommandSpec = {
  name: 'doctor',
  description: 'Check what is installed and say how to fix what is wrong.',
  async run() {
    const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
    const hasAssets = existsSync(join(embedded.base, 'unet', 'config.json')) && existsSync(embedded.maskModel);
    const checks: Check[] = [
      { what: 'package', ok: true, found: `dualanodiff ${version} in ${packageRoot}` },
      ...(await systemChecks()),
      checkBinary(),
      checkLibtorch(),
      checkDriver(),
      await checkDevice(),
      ...(await checkWaiting()),
      { what: 'memory', ok: true, found: `${gib(freemem())} free of ${gib(totalmem())}` },
      {
        what: 'assets',
        ok: hasAssets,
        found: embedded.base,
        ...(hasAssets ? {} : { advice: 'reinstall the package' }),
      },
      checkWeights(),
    ];
    const lines = checks.map(
      ({ what, ok, found, advice }) =>
        `${ok ? 'ok  ' : 'FAIL'} ${what.padEnd(9)} ${found}${advice ? `\n     -> ${advice}` : ''}`,
    );
    return { text: lines.join('\n'), value: { checks }, hasFailed: checks.some((check) => !check.ok) };
  },
};

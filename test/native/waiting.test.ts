import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findLibtorch } from '../../lib/libtorch/locate.js';
import { main } from '../helpers/cli.js';

const engine = JSON.stringify(join(import.meta.dirname, '..', '..', 'dist', 'native.js'));
const waiting = ['OMP_WAIT_POLICY', 'GOMP_SPINCOUNT', 'KMP_BLOCKTIME', 'KMP_LIBRARY', 'LD_PRELOAD'];
const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !waiting.includes(name)));

const LOAD = `
  const { getEngine } = await import(${engine});
  const { openMpWait } = await getEngine();
  const { execFileSync } = await import('node:child_process');
  const child = execFileSync('/usr/bin/env', { encoding: 'utf8' });
  console.log(JSON.stringify({ openMpWait, own: process.env.GOMP_SPINCOUNT, inherited: child.includes('GOMP_SPINCOUNT') }));`;

/** Loads the engine in a process of its own, in which libgomp shows the settings that it has read. */
function load(env: Record<string, string>, script = LOAD) {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...plain, OMP_DISPLAY_ENV: 'verbose', ...env },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  const shown = (name: string) => new RegExp(`${name} = '(.*)'`).exec(stderr)?.[1];
  return { ...JSON.parse(stdout), policy: shown('OMP_WAIT_POLICY'), spins: shown('GOMP_SPINCOUNT') };
}

/** Turns of libgomp's loop, by how long they take on this CPU; its own default is 300000. */
const briefly = expect.stringMatching(/^\d{3,4}$/);

describe("how libgomp's threads wait", () => {
  it('is shortly, by a setting that neither the process nor its children see', () => {
    expect(load({})).toMatchObject({ openMpWait: 'own', spins: briefly, inherited: false });
    expect(load({ OMP_WAIT_POLICY: '' })).toMatchObject({ openMpWait: 'own', spins: briefly });
    const inWorker = `
      import { Worker } from 'node:worker_threads';
      new Worker(${JSON.stringify(LOAD)}, { eval: true, stdout: false });`;
    expect(load({}, inWorker)).toMatchObject({ openMpWait: 'own', spins: briefly, inherited: false });
  });

  it('is what the user says', () => {
    expect(load({ OMP_WAIT_POLICY: 'passive' })).toMatchObject({ openMpWait: 'user', policy: 'PASSIVE', spins: '0' });
    expect(load({ OMP_WAIT_POLICY: 'active' })).toMatchObject({ openMpWait: 'user', policy: 'ACTIVE' });
    expect(load({ GOMP_SPINCOUNT: '77' })).toMatchObject({ openMpWait: 'user', spins: '77', own: '77' });
  });

  it('cannot be changed where another library has opened libgomp, and doctor says so', () => {
    const library = join(findLibtorch() ?? '', 'lib', 'libgomp.so.1');
    expect(load({ LD_PRELOAD: library })).toMatchObject({ openMpWait: library, spins: '300000' });
    const { stdout } = spawnSync(process.execPath, [main, 'doctor'], {
      env: { ...plain, LD_PRELOAD: library },
      encoding: 'utf8',
    });
    expect(stdout).toContain(`${library} was open before the engine`);
    expect(stdout).toContain('set OMP_WAIT_POLICY=passive before Node starts');
  });
});

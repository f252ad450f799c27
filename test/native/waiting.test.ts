import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findLibtorch } from '../../lib/libtorch/locate.js';
import { main } from '../helpers/cli.js';

const root = join(import.meta.dirname, '..', '..');
const engine = JSON.stringify(join(root, 'dist', 'native.js'));
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
const briefly = expect.stringMatching(/^\d{3,5}$/);

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

  it('is the same in the programs beside the package, which are linked to libgomp', () => {
    const bench = join(root, 'build', 'dualanodiff-bench');
    const spins = (env: Record<string, string>) => {
      const { stderr } = spawnSync(bench, [], {
        env: { ...plain, OMP_DISPLAY_ENV: 'verbose', ...env },
        encoding: 'utf8',
      });
      return [...stderr.matchAll(/GOMP_SPINCOUNT = '(.*)'/g)].at(-1)?.[1]; // that of the restarted program
    };
    expect(spins({})).toEqual(briefly);
    expect(spins({ GOMP_SPINCOUNT: '77' })).toBe('77');
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

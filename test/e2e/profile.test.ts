import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stopProfile } from '../../lib/profile.js';
import { cli, trainStains } from '../helpers/cli.js';
import { scratchFolder } from '../helpers/scratch.js';

const adapter = join(scratchFolder(), 'adapter.safetensors');
const SMALL = ['--steps', '2', '--batch-size', '1', '--rank', '2'];

describe('--profile', () => {
  it('train --profile --json says where the time went, by stage and by operation', async () => {
    const { code, stdout, stderr } = await cli([...trainStains(adapter, ...SMALL), '--profile', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ steps: 2 }); // the result stays one line
    const { profile } = JSON.parse(stderr.trimEnd().split('\n').at(-1) as string);
    const calls = Object.fromEntries(
      profile.stages.map(({ name, calls }: { name: string; calls: number }) => [name, calls]),
    );
    expect(calls).toMatchObject({
      'load the base': 1,
      'encode the training images': 1,
      'train step': 2,
      'train step: forward': 2,
      'train step: backward': 2,
      'train step: update': 2,
    });
    const all: { seconds: number; ownSeconds: number }[] = [...profile.stages, ...profile.operations];
    expect(all.every(({ seconds, ownSeconds }) => ownSeconds <= seconds + 1e-9)).toBe(true);
    const own = all.reduce((sum, time) => sum + time.ownSeconds, 0);
    expect(own).toBeGreaterThan(0);
    expect(own).toBeLessThan(profile.seconds);
  });

  it('sample --profile shows the stages as a table', async () => {
    const args = [
      'sample',
      '--adapter',
      adapter,
      '--out',
      join(adapter, '..', 'pairs'),
      '--count',
      '1',
      '--steps',
      '2',
    ];
    const { code, stderr } = await cli([...args, '--scheduler', 'ddim', '--mask', 'none', '--profile']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/since the process began/);
    expect(stderr).toMatch(/\d s +2 x {2}denoise\n/);
    expect(stderr).toMatch(/\d s +1 x {2}decode\n/);
  });

  it('--profile tells of a command that was interrupted', async () => {
    const args = [
      ...trainStains(join(adapter, '..', 'interrupted.safetensors'), ...SMALL, '--steps', '400'),
      '--profile',
    ];
    const { code, stderr } = await cli(args, { kill: { signal: 'SIGINT', when: /training stain 41/ } });
    expect(code).toBe(130);
    expect(stderr).toMatch(/\d s +\d+ x {2}train step\n/);
    expect(stderr).toMatch(/interrupted\n$/);
  });

  it('a profile is empty where none was started', async () => {
    expect(await stopProfile()).toEqual({ stages: [], operations: [] });
  });
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultThreads } from '../../lib/core/threads.js';
import { scratchFolder } from '../helpers/scratch.js';

const scratch = scratchFolder();
let machines = 0;

/** The threads on a machine of 16 cores with these files. */
function threadsOn(files: Record<string, string>): number {
  const root = join(scratch, String(machines++));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return defaultThreads({ root, env: {}, cores: 16 });
}

const v2Mount = '29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n';
const v1Mounts = [
  '24 23 0:21 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755',
  '30 24 0:27 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset',
  '31 24 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n',
].join('\n');

describe('the number of threads by control groups', () => {
  it('is that of the cores where there are none', () => {
    expect(threadsOn({})).toBe(16);
    expect(threadsOn({ 'proc/self/mountinfo': v2Mount, 'proc/self/cgroup': '0::/a\n' })).toBe(16);
    expect(defaultThreads({ env: {} })).toBeLessThanOrEqual(availableParallelism());
  });

  it('is the smallest quota from the own group of version 2 to the top', () => {
    const here = { 'proc/self/mountinfo': v2Mount, 'proc/self/cgroup': '0::/user.slice/job.scope/inner\n' };
    const group = 'sys/fs/cgroup/user.slice';
    expect(threadsOn({ ...here, [`${group}/job.scope/inner/cpu.max`]: '300000 100000\n' })).toBe(3);
    expect(
      threadsOn({
        ...here,
        [`${group}/job.scope/inner/cpu.max`]: 'max 100000\n',
        [`${group}/job.scope/cpu.max`]: '800000 100000\n',
        [`${group}/cpu.max`]: '500000 100000\n',
      }),
    ).toBe(5);
    expect(threadsOn({ ...here, 'sys/fs/cgroup/other.slice/cpu.max': '100000 100000\n' })).toBe(16);
  });

  it('is whole, at least one and no more than the cores', () => {
    const here = { 'proc/self/mountinfo': v2Mount, 'proc/self/cgroup': '0::/\n' };
    expect(threadsOn({ ...here, 'sys/fs/cgroup/cpu.max': '250000 100000\n' })).toBe(2);
    expect(threadsOn({ ...here, 'sys/fs/cgroup/cpu.max': '50000 100000\n' })).toBe(1);
    expect(threadsOn({ ...here, 'sys/fs/cgroup/cpu.max': '6400000 100000\n' })).toBe(16);
    expect(threadsOn({ ...here, 'sys/fs/cgroup/cpu.max': 'no number\n' })).toBe(16);
  });

  it('finds the mount where it is, and what of the groups is mounted there', () => {
    const mount = '29 23 0:26 /docker/1f /mnt/control\\040groups rw - cgroup2 cgroup2 rw\n';
    const own = 'mnt/control groups';
    const inside = { 'proc/self/mountinfo': mount, 'proc/self/cgroup': '0::/docker/1f/job\n' };
    expect(threadsOn({ ...inside, [`${own}/job/cpu.max`]: '400000 100000\n' })).toBe(4);
    const outside = { 'proc/self/mountinfo': mount, 'proc/self/cgroup': '0::/../elsewhere\n' };
    expect(threadsOn({ ...outside, [`${own}/cpu.max`]: '200000 100000\n' })).toBe(2);
  });

  it('reads the quota of version 1, where -1 is none', () => {
    const here = {
      'proc/self/mountinfo': v1Mounts,
      'proc/self/cgroup': '5:cpuset:/x\n4:cpu,cpuacct:/batch/7\n0::/y\n',
    };
    const group = 'sys/fs/cgroup/cpu,cpuacct';
    const quota = (folder: string, value: string) => ({
      [`${group}/${folder}cpu.cfs_quota_us`]: `${value}\n`,
      [`${group}/${folder}cpu.cfs_period_us`]: '100000\n',
    });
    expect(threadsOn({ ...here, ...quota('batch/7/', '-1'), ...quota('batch/', '700000'), ...quota('', '-1') })).toBe(
      7,
    );
    expect(threadsOn({ ...here, ...quota('batch/7/', '-1') })).toBe(16);
    const both = `${v1Mounts}33 24 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n`;
    const hybrid = { ...here, 'proc/self/mountinfo': both, 'sys/fs/cgroup/unified/y/cpu.max': '200000 100000\n' };
    expect(threadsOn({ ...hybrid, ...quota('batch/7/', '600000') })).toBe(2);
  });
});

describe('OMP_NUM_THREADS', () => {
  const threads = (value: string) => defaultThreads({ root: scratch, env: { OMP_NUM_THREADS: value }, cores: 16 });

  it('is what the user says, of a list the first', () => {
    expect(threads('3')).toBe(3);
    expect(threads(' 32 ')).toBe(32);
    expect(threads('4,2')).toBe(4);
    expect(threads('')).toBe(16); // as in `OMP_NUM_THREADS= command`
  });

  it('is refused where it is no number of threads', () => {
    for (const value of ['four', '0', '-2', '2.5', '1e3', '0x4', '4,', '4,many', 'NaN', 'Infinity', '99999999999'])
      expect(() => threads(value)).toThrowError(
        expect.objectContaining({ code: 'ERR_INVALID_OPTION', message: expect.stringContaining(`'${value}'`) }),
      );
  });
});

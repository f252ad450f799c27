/**
 * The number of threads that libtorch gets by default is the number of cores that this process may really use, by its
 * affinity and by the quotas of its control groups, or what the user says in OMP_NUM_THREADS.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { InvalidOptionError } from './errors.js';

const MOST_THREADS = 1024;

interface Surroundings {
  /** Where `proc` and the mounts of control groups are. */
  root?: string;
  env?: NodeJS.ProcessEnv;
  /** Cores by the affinity of the process. */
  cores?: number;
}

/**
 * OMP_NUM_THREADS where it is set: a number from 1 to 1024, or OpenMP's list by nesting level, of which the first counts.
 * Throws ERR_INVALID_OPTION for anything else.
 */
export function threadsFromEnvironment(env: NodeJS.ProcessEnv): number | undefined {
  const value = env.OMP_NUM_THREADS?.trim();
  if (!value) return undefined;
  const counts = value.split(',').map((item) => (/^\s*\d+\s*$/.test(item) ? Number(item) : Number.NaN));
  if (counts.every((count) => count >= 1 && count <= MOST_THREADS)) return counts[0];
  throw new InvalidOptionError(
    `Expected OMP_NUM_THREADS to be a number from 1 to ${MOST_THREADS}, or several separated by commas, but received '${value}'. Correct it or unset it.`,
  );
}

const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // no control groups of this kind, or none at this depth
  }
};

const share = (quota: string | undefined, period: string | undefined): number => {
  const cores = Number(quota) / Number(period);
  return cores > 0 ? cores : Number.POSITIVE_INFINITY; // `max` and -1 are no quota
};

function quotaOfV2(folder: string): number {
  const [quota, period] = (readText(join(folder, 'cpu.max')) ?? 'max').trim().split(/\s+/);
  return share(quota, period);
}

function quotaOfV1(folder: string): number {
  return share(readText(join(folder, 'cpu.cfs_quota_us')), readText(join(folder, 'cpu.cfs_period_us')));
}

/** Spaces and the like are octal in mountinfo. */
const unescaped = (text: string) =>
  text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));

/** A mount of control groups: which of their folders is mounted, and where. */
interface Mount {
  source: string;
  point: string;
  readQuota: (folder: string) => number;
  /** Control groups of version 1 that hold the cpu controller, otherwise version 2. */
  isV1: boolean;
}

/** From lines like `29 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw`. */
function controlGroupMounts(mountInfo: string): Mount[] {
  return mountInfo.split('\n').flatMap((line): Mount[] => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , source = '', point = ''] = before.split(' ').map(unescaped);
    const [type, , options = ''] = after.split(' ');
    if (type === 'cgroup2') return [{ source, point, readQuota: quotaOfV2, isV1: false }];
    if (type !== 'cgroup' || !options.split(',').includes('cpu')) return [];
    return [{ source, point, readQuota: quotaOfV1, isV1: true }];
  });
}

/** The group of this process, from lines like `0::/user.slice` (version 2) and `4:cpu,cpuacct:/docker/1f` (version 1). */
function groupOf(controlGroups: string, isV1: boolean): string | undefined {
  for (const line of controlGroups.split('\n')) {
    const [, hierarchy, controllers = '', path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (isV1 ? controllers.split(',').includes('cpu') : hierarchy === '0' && controllers === '') return path;
  }
  return undefined;
}

/** The smallest quota from the group of this process up to the top of the mount, in cores. */
function quotaBelow(root: string, mount: Mount, group: string): number {
  const below = relative(mount.source, group);
  // What is outside of the mount cannot be seen: a container often has its own group mounted as the top.
  const parts = below.startsWith('..') ? [] : below.split('/').filter(Boolean);
  const quotas = [];
  for (let depth = parts.length; depth >= 0; depth--)
    quotas.push(mount.readQuota(join(root, mount.point, ...parts.slice(0, depth))));
  return Math.min(...quotas);
}

/** Threads for libtorch; see the head of this file. Throws ERR_INVALID_OPTION for an OMP_NUM_THREADS that is not a number. */
export function defaultThreads({ root = '/', env = process.env, cores }: Surroundings = {}): number {
  const wanted = threadsFromEnvironment(env);
  if (wanted !== undefined) return wanted;
  const controlGroups = readText(join(root, 'proc', 'self', 'cgroup')) ?? '';
  const mounts = controlGroupMounts(readText(join(root, 'proc', 'self', 'mountinfo')) ?? '');
  const quotas = mounts.map((mount) => {
    const group = groupOf(controlGroups, mount.isV1);
    return group === undefined ? Number.POSITIVE_INFINITY : quotaBelow(root, mount, group);
  });
  return Math.max(1, Math.floor(Math.min(cores ?? availableParallelism(), ...quotas)));
}

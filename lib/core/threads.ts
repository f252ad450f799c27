/**
 * Decides how many threads libtorch uses by default. The user can set the number in OMP_NUM_THREADS. Otherwise it is
 * the number of cores that the CPU affinity of the process and the quotas of its control groups allow.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { InvalidOptionError } from './errors.js';

const MAX_THREADS = 1024;

interface ThreadEnvironment {
  /** The folder that holds `proc` and the mounts of control groups. */
  root?: string;
  env?: NodeJS.ProcessEnv;
  /** The number of cores that the CPU affinity of the process allows. */
  cores?: number;
}

/**
 * Reads OMP_NUM_THREADS, which is a number from 1 to 1024 or a list with one number per nesting level. The first number
 * counts. Returns undefined if the variable is not set. Throws ERR_INVALID_OPTION for any other value.
 */
export function threadsFromEnvironment(env: NodeJS.ProcessEnv): number | undefined {
  const value = env.OMP_NUM_THREADS?.trim();
  if (!value) return undefined;
  const counts = value.split(',').map((item) => (/^\s*\d+\s*$/.test(item) ? Number(item) : Number.NaN));
  if (counts.every((count) => count >= 1 && count <= MAX_THREADS)) return counts[0];
  throw new InvalidOptionError(
    `Expected OMP_NUM_THREADS to be a number from 1 to ${MAX_THREADS}, or several separated by commas, but received '${value}'. Correct it or unset it.`,
  );
}

const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // The system has no control groups of this version, or the group sets no quota.
  }
};

const coresOf = (quota: string | undefined, period: string | undefined): number => {
  const cores = Number(quota) / Number(period);
  return cores > 0 ? cores : Number.POSITIVE_INFINITY; // `max` (version 2) and -1 (version 1) mean no quota.
};

function quotaOfV2(folder: string): number {
  const [quota, period] = (readText(join(folder, 'cpu.max')) ?? 'max').trim().split(/\s+/);
  return coresOf(quota, period);
}

function quotaOfV1(folder: string): number {
  return coresOf(readText(join(folder, 'cpu.cfs_quota_us')), readText(join(folder, 'cpu.cfs_period_us')));
}

/** Decodes the octal escapes that mountinfo uses for spaces and similar characters. */
const unescaped = (text: string) =>
  text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));

/** A mount of control groups: `source` is the mounted group, and `point` is the folder where it is mounted. */
interface Mount {
  source: string;
  point: string;
  readQuota: (folder: string) => number;
  /** True for version 1 with the cpu controller, and false for version 2. */
  isV1: boolean;
}

/** Parses lines such as `29 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw`. */
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

/**
 * Finds this process's group in lines such as `0::/user.slice` (version 2) and `4:cpu,cpuacct:/docker/1f` (version 1).
 */
function groupOf(controlGroups: string, isV1: boolean): string | undefined {
  for (const line of controlGroups.split('\n')) {
    const [, hierarchy, controllers = '', path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (isV1 ? controllers.split(',').includes('cpu') : hierarchy === '0' && controllers === '') return path;
  }
  return undefined;
}

/** Returns the smallest quota, in cores, of the process's group and all groups above it in the mount. */
function smallestQuota(root: string, mount: Mount, group: string): number {
  const below = relative(mount.source, group);
  // A container often mounts its own group as the top. Groups outside of the mount cannot be read.
  const parts = below.startsWith('..') ? [] : below.split('/').filter(Boolean);
  const quotas = [];
  for (let depth = parts.length; depth >= 0; depth--)
    quotas.push(mount.readQuota(join(root, mount.point, ...parts.slice(0, depth))));
  return Math.min(...quotas);
}

/** Returns the default number of threads for libtorch. Throws ERR_INVALID_OPTION if OMP_NUM_THREADS is invalid. */
export function defaultThreads({ root = '/', env = process.env, cores }: ThreadEnvironment = {}): number {
  const wanted = threadsFromEnvironment(env);
  if (wanted !== undefined) return wanted;
  const controlGroups = readText(join(root, 'proc', 'self', 'cgroup')) ?? '';
  const mounts = controlGroupMounts(readText(join(root, 'proc', 'self', 'mountinfo')) ?? '');
  const quotas = mounts.map((mount) => {
    const group = groupOf(controlGroups, mount.isV1);
    return group === undefined ? Number.POSITIVE_INFINITY : smallestQuota(root, mount, group);
  });
  return Math.max(1, Math.floor(Math.min(cores ?? availableParallelism(), ...quotas)));
}

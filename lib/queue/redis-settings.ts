/** Looks at what Redis says of itself: whether it can hold the queue, and whether its settings would lose jobs. */
import type { Redis } from 'ioredis';

/** The queue reads streams in a way that older ones do not know. */
const MIN_VERSION = [6, 2] as const;

const settingIn = (info: string, name: string) => new RegExp(`^${name}:(\\S*)`, 'm').exec(info)?.[1];

/** Returns why a Redis with this answer to INFO cannot hold the queue, or undefined if it can. */
export function unusableReason(info: string): string | undefined {
  const version = settingIn(info, 'redis_version') ?? '';
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  const [minMajor, minMinor] = MIN_VERSION;
  const isOld = Number(major) < minMajor || (Number(major) === minMajor && Number(minor) < minMinor);
  if (isOld) return `expected version ${MIN_VERSION.join('.')} or newer but found ${version}`;
  const mode = settingIn(info, 'redis_mode') ?? settingIn(info, 'server_mode') ?? 'standalone'; // Valkey has the other name.
  if (mode !== 'standalone') return `expected a Redis in the mode standalone but found the mode ${mode}`;
  return undefined;
}

/** Returns a warning for each setting that would lose jobs. */
export async function redisWarnings(redis: Redis): Promise<string[]> {
  const info = await redis.info();
  const warnings: string[] = [];
  const policy = settingIn(info, 'maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction')
    warnings.push(`Redis drops jobs when its memory is full: set maxmemory-policy to noeviction instead of ${policy}`);
  if (settingIn(info, 'aof_enabled') === '0')
    warnings.push('Redis forgets the newest jobs, or all of them, when it restarts: set appendonly to yes');
  return warnings;
}

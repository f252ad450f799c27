/** Looks for settings of Redis that would lose jobs. */
import type { Redis } from 'ioredis';

/** Returns a warning for each setting that would lose jobs. */
export async function redisWarnings(redis: Redis): Promise<string[]> {
  const info = await redis.info();
  const settingOf = (name: string) => new RegExp(`^${name}:(\\S*)`, 'm').exec(info)?.[1];
  const warnings: string[] = [];
  const policy = settingOf('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction')
    warnings.push(`Redis drops jobs when its memory is full: set maxmemory-policy to noeviction instead of ${policy}`);
  if (settingOf('aof_enabled') === '0')
    warnings.push('Redis forgets the newest jobs, or all of them, when it restarts: set appendonly to yes');
  return warnings;
}

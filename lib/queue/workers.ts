/** Tells which workers there are. A description expires if its worker ends without a word. */
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { keys } from './redis.js';

const REFRESH_MS = 10_000;
const EXPIRES_MS = 3 * REFRESH_MS;

const capabilities = {
  host: z.string(),
  /** The name of the GPU, or `cpu`. */
  device: z.string(),
  /** The memory of the device in bytes. */
  memoryBytes: z.number(),
  /** The names of the bases that jobs may use beside the embedded one. */
  bases: z.array(z.string()),
};
const status = {
  /** The units that each stage of the running jobs has done in a second, over the last minute. */
  rates: z.array(z.object({ stage: z.string(), unit: z.string(), perSecond: z.number() })).default([]),
  /** The memory of the GPU that is in use, by other programs too. It is absent without a GPU. */
  gpuUsedBytes: z.number().optional(),
};
const descriptionSchema = z.object({
  id: z.string(),
  ...capabilities,
  ...status,
  since: z.iso.datetime(),
  /** The identifiers of the jobs that run now. */
  jobs: z.array(z.string()),
});

/** Describes what a worker can do. */
export type Capabilities = z.output<z.ZodObject<typeof capabilities>>;
/** Tells what a worker does. */
export type WorkerStatus = z.output<z.ZodObject<typeof status>>;
/** Describes a worker. */
export type WorkerDescription = z.output<typeof descriptionSchema>;

/** Announces a worker until the function that it returns is called. */
export async function announce(
  redis: Redis,
  id: string,
  capabilities: Capabilities,
  jobs: () => string[],
  status: () => WorkerStatus = () => ({ rates: [] }),
): Promise<() => Promise<void>> {
  const since = new Date().toISOString();
  const write = async () => {
    const description: WorkerDescription = { id, ...capabilities, ...status(), since, jobs: jobs() };
    await redis.sadd(keys.workers, id); // It was forgotten if its description expired while Redis was away.
    await redis.set(keys.worker(id), JSON.stringify(description), 'PX', EXPIRES_MS);
  };
  await write();
  const timer = setInterval(() => write().catch(() => {}), REFRESH_MS); // ioredis connects again by itself.
  return async () => {
    clearInterval(timer);
    await redis.del(keys.worker(id));
    await redis.srem(keys.workers, id);
  };
}

/** Returns the workers that are there, and forgets those whose descriptions have expired. */
export async function listWorkers(redis: Redis): Promise<WorkerDescription[]> {
  const found: WorkerDescription[] = [];
  for (const id of await redis.smembers(keys.workers)) {
    const text = await redis.get(keys.worker(id));
    if (text === null) await redis.srem(keys.workers, id);
    else found.push(descriptionSchema.parse(JSON.parse(text)));
  }
  return found;
}

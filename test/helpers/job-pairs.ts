/** Makes jobs of a service whose results are small pairs. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Job, RunJob } from '../../lib/queue/job-queue.js';
import { filesBelow, type ManifestFile } from '../../lib/store/manifest.js';
import { jobFileKey, publishResult } from '../../lib/store/results.js';
import type { Store } from '../../lib/store/store.js';
import { uploadFile } from '../../lib/store/transfer.js';
import { writePairs } from './reviewing.js';
import type { TestService } from './service.js';

/** Writes three pairs into the files of a job, and publishes its result. The pairs lie in the folder `pairs`. */
export async function publishPairs(store: Store, id: string, scratch: string): Promise<void> {
  const folder = join(scratch, `pairs of ${id}`);
  await writePairs(join(folder, 'pairs'), 3);
  const files: ManifestFile[] = [];
  for (const path of await filesBelow(folder)) {
    files.push({ path, ...(await uploadFile(store, jobFileKey(id, path), join(folder, path))) });
  }
  await publishResult(store, id, { kind: 'generate', result: {}, files });
  rmSync(folder, { recursive: true });
}

/** Returns a function that runs jobs. Only those of the kind `generate` make pairs. */
export const runWithPairs =
  (store: () => Store, scratch: string): RunJob =>
  async ({ id, kind }, { onEvent }) => {
    if (kind !== 'generate') return {};
    await publishPairs(store(), id, scratch);
    onEvent({ event: 'pair', index: 0, type: 'crack', image: 'pairs/test/crack/000000.png' } as never);
    return {};
  };

/** Makes a job of a service that has ended. */
export async function endedJob({ queue }: TestService, kind: 'generate' | 'check' = 'generate'): Promise<Job> {
  const { id } = await queue.submit({ kind, options: {}, datasets: {}, priority: 0 });
  for await (const _ of queue.events(id, { signal: AbortSignal.timeout(20_000) }));
  return queue.get(id);
}

/** Returns the folder of a job's pairs. */
export const pairsOf = ({ store }: TestService, { id }: Job): string => join(store.place, 'jobs', id, 'files', 'pairs');

/** Declares what the routes share. */
import type { JobQueue } from '../queue/job-queue.js';
import type { Store } from '../store/store.js';
import type { ArchiveLimits } from './archive/archive-target.js';
import type { Metrics } from './metrics.js';

export interface ServiceContext {
  queue: JobQueue;
  store: Store;
  /** The folder of the bases that jobs may use by name. */
  bases: string | undefined;
  /** Uploads are unpacked below this folder. */
  workFolder: string;
  limits: ArchiveLimits;
  metrics: Metrics;
  /** Fires when the service stops, so that streams of events end. */
  stopping: AbortSignal;
}

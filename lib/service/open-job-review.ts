/** Opens the review of a job's pairs: fetches what it needs, and locks the folder of the pairs. */
import { join } from 'node:path';
import { DatasetError, DualAnoDiffError } from '../core/errors.js';
import { parseReference } from '../options/requests.js';
import type { Job } from '../queue/job-queue.js';
import { EventStreams } from '../review/events.js';
import { RealImages } from '../review/real-images.js';
import { measureSession } from '../review/review.js';
import { closeFolders, openReviewedFolders } from '../review/reviewed-folder.js';
import type { OpenReview } from '../review/routes.js';
import { ReviewSession } from '../review/session.js';
import { Thumbnails } from '../review/thumbnails.js';
import type { ManifestFile } from '../store/manifest.js';
import { jobPrefix } from '../store/results.js';
import { S3Store } from '../store/s3-store.js';
import type { Store } from '../store/store.js';
import { fetchInput } from '../worker/inputs.js';
import { removeFolder } from '../worker/work-folder.js';
import { BucketPairs } from './bucket-pairs.js';
import { serviceError } from './errors.js';

export interface JobReviewSources {
  store: Store;
  job: Job;
  /** The files of the job. */
  files: readonly ManifestFile[];
  /** Datasets, and pairs out of a bucket, are copied to this folder. It is removed with the review. */
  work: string;
  /** Tells people what happens. */
  onNote(message: string): void;
  /** It gets the number of files that were copied out of a bucket. */
  onFiles(done: number, total: number): void;
  /** It is called if the review does not hold any more what is in the bucket, with the reason. */
  onOutdated(reason: Error): void;
  /** It is called when a page has gone away. */
  onLeave(): void;
}

/** A review of a job that is open. */
export interface JobReview extends OpenReview {
  /** Waits for what is being written, and releases the folders. The copies are removed, even if something fails. */
  close(): Promise<void>;
}

/** Opens a review. Throws ERR_BUSY if another program reviews the pairs, and the errors of damaged pairs. */
export async function openJobReview(sources: JobReviewSources): Promise<JobReview> {
  const { store, job, files, work, onNote, onFiles, onOutdated, onLeave } = sources;
  try {
    let folder = join(store.place, jobPrefix(job.id), 'files');
    let bucket: BucketPairs | undefined;
    if (store instanceof S3Store) {
      bucket = new BucketPairs(store, job.id, onOutdated);
      folder = join(work, 'files');
      await bucket.fetch(files, folder, onFiles);
    }
    const real = await realImages(sources);
    const folders = await openReviewedFolders(folder, (name) => bucket?.copyOf(name)).catch((error) => {
      throw error instanceof DualAnoDiffError && error.code === 'ERR_BUSY' ? reviewedElsewhere(job.id) : error;
    });
    try {
      const session = new ReviewSession(folder, `${job.kind} ${job.id.slice(0, 8)}`, folders, real);
      const thumbnails = new Thumbnails(session);
      await thumbnails.removePartial();
      const measuring = measureSession(session).catch((error: Error) =>
        onNote(`review of the job ${job.id}: ${error.message}`),
      );
      const close = async () => {
        try {
          await thumbnails.close();
          await session.close();
          await measuring; // It removes old thumbnails at last.
        } finally {
          await removeFolder(work);
        }
      };
      return { session, thumbnails, streams: new EventStreams(session, onLeave), close };
    } catch (error) {
      await closeFolders(folders).catch(() => {}); // The first failure is the cause.
      throw error;
    }
  } catch (error) {
    await removeFolder(work);
    throw error;
  }
}

/** Fetches the real images beside which pairs are shown: those of the job's dataset, if it is one category. */
async function realImages({ store, job, work, onNote }: JobReviewSources): Promise<RealImages> {
  const sources: { data?: string; onto?: string } = {};
  for (const option of ['data', 'onto'] as const) {
    const name = job.options[option];
    const reference = typeof name === 'string' ? parseReference('data', name) : undefined;
    if (reference?.kind !== 'dataset') continue;
    sources[option] = await fetchInput(reference, job, { store, folder: join(work, option) });
  }
  try {
    return await RealImages.open(sources);
  } catch (error) {
    if (!(error instanceof DatasetError)) throw error;
    onNote(`The review of the job ${job.id} shows no real images: ${error.message}`);
    return RealImages.open({});
  }
}

const reviewedElsewhere = (id: string) =>
  serviceError(
    'ERR_BUSY',
    `The pairs of the job ${id} are being reviewed elsewhere, by the command review or by another service: end that review first`,
  );

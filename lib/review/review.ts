/** Serves a page on which people look at generated pairs and decide about them. */
import { once } from 'node:events';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JobContext } from '../jobs/job.js';
import { type PageSettings, readPageFiles } from '../report/page-files.js';
import { PAGE_STYLE } from './page-style.js';
import { RealImages } from './real-images.js';
import { openReviewedFolders } from './reviewed-folder.js';
import { startServer } from './server.js';
import { type ReviewCounts, ReviewSession } from './session.js';
import { Thumbnails } from './thumbnails.js';

/** What a browser loads of the page. */
export const REVIEW_PAGE: PageSettings = {
  modules: fileURLToPath(new URL('./page/', import.meta.url)),
  title: 'Review',
  style: PAGE_STYLE,
  images: "'self' data:",
};

export interface ReviewSettings {
  /** A folder that `run`, `sample` or `place` has written. */
  dir: string;
  /** The category whose real defects are shown beside the pairs. */
  data?: string | undefined;
  /** The photographs that defects were placed in, if they are not those of the category. */
  onto?: string | undefined;
  /** The port of 127.0.0.1. 0 takes a free one. */
  port: number;
}

/**
 * Opens the pairs of a folder, which are not measured yet. Throws the errors of `openReviewedFolders` and
 * `RealImages.open`.
 */
export async function openSession(
  { dir, ...sources }: Omit<ReviewSettings, 'port'>,
  title: string = basename(resolve(dir)),
): Promise<ReviewSession> {
  const real = await RealImages.open(sources);
  return new ReviewSession(dir, title, await openReviewedFolders(dir), real);
}

/** Measures all pairs, and then removes what earlier reviews have left. */
export async function measureSession(session: ReviewSession, onEvent?: JobContext['onEvent']): Promise<void> {
  await session.measureAll((done) =>
    onEvent?.({ event: 'progress', stage: 'review', unit: 'pairs', done, total: session.size }),
  );
  if (session.isMeasured) await new Thumbnails(session).removeOld();
}

/**
 * Serves the review of a folder until the signal fires. `onAddress` gets the address of the page once it can be opened.
 * The pairs are measured meanwhile. Every decision is on the disk before the page shows it as saved.
 *
 * Throws ERR_DATASET_INVALID if the folder holds no pairs, and ERR_BUSY if another process writes to it or the port is
 * in use.
 */
export async function review(
  { port, ...settings }: ReviewSettings,
  { signal, onAddress, onEvent }: JobContext & { signal: AbortSignal; onAddress: (address: string) => void },
): Promise<ReviewCounts> {
  const session = await openSession(settings);
  try {
    await new Thumbnails(session).removePartial();
    const server = await startServer(session, await readPageFiles(REVIEW_PAGE), port);
    try {
      onAddress(server.address);
      const ended = signal.aborted ? Promise.resolve() : once(signal, 'abort').then(() => {});
      // A failure to keep what was measured ends the review.
      await Promise.race([ended, measureSession(session, onEvent).then(() => ended)]);
    } finally {
      await server.close();
    }
    return session.counts();
  } finally {
    await session.close();
  }
}

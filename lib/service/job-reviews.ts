/** Keeps the reviews of jobs open while people look at their pairs. */
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { DatasetError, DualAnoDiffError } from '../core/errors.js';
import { PAIR_LIST } from '../dataset/pair-list.js';
import { parseReference } from '../options/requests.js';
import type { Job, JobQueue } from '../queue/job-queue.js';
import { EventStreams } from '../review/events.js';
import { RealImages } from '../review/real-images.js';
import { measureSession } from '../review/review.js';
import { openReviewedFolders } from '../review/reviewed-folder.js';
import type { OpenReview } from '../review/routes.js';
import { ReviewSession } from '../review/session.js';
import { Thumbnails } from '../review/thumbnails.js';
import type { ManifestFile } from '../store/manifest.js';
import { jobPrefix, readResult } from '../store/results.js';
import { S3Store } from '../store/s3-store.js';
import type { Store } from '../store/store.js';
import { fetchInput } from '../worker/inputs.js';
import { removeFolder } from '../worker/work-folder.js';
import { BucketPairs } from './bucket-pairs.js';
import { serviceError } from './errors.js';

/** A review that nobody has used for this long is closed, so that other programs can write to the folder of the pairs. */
const IDLE_MS = 10 * 60_000;
const CHECK_MS = 60_000;
/** A request waits at most this long for a review that is being opened. */
const OPEN_MS = 20_000;
/** This number of reviews is open at once, because each of them keeps its pairs in memory. */
const MAX_OPEN = 32;

export interface JobReviewSettings {
  store: Store;
  queue: Pick<JobQueue, 'get'>;
  /** Datasets, and pairs out of a bucket, are copied below this folder. */
  workFolder: string;
  /** Tells people what happens. */
  onNote(message: string): void;
  /** Returns the time in milliseconds. */
  now?: () => number;
  /** A request waits at most this long for a review that is being opened. */
  openMs?: number;
}

interface Entry {
  opened: Promise<OpenReview>;
  /** It is undefined until the review is open. */
  review?: OpenReview;
  usedAt: number;
  /** The files that were copied out of a bucket, which takes a while. */
  copied?: { done: number; total: number };
  /** It is there once the review is being closed. */
  closed?: Promise<void>;
}

export class JobReviews implements AsyncDisposable {
  readonly #entries = new Map<string, Entry>();
  readonly #timer: NodeJS.Timeout;
  #isStopping = false;

  constructor(private readonly settings: JobReviewSettings) {
    this.#timer = setInterval(() => this.closeUnused(), CHECK_MS);
    this.#timer.unref();
  }

  /** Returns a job and its files. Throws ERR_JOB_NOT_FOUND, and ERR_NOT_FOUND if it has no pairs that could be reviewed. */
  async requirePairs(id: string): Promise<{ job: Job; files: ManifestFile[] }> {
    const job = await this.settings.queue.get(id);
    const { files = [] } = (await readResult(this.settings.store, id)) ?? {};
    if (files.some(({ path }) => basename(path) === PAIR_LIST)) return { job, files };
    throw serviceError('ERR_NOT_FOUND', `The job ${id} has no pairs to review: it has not made any, or its parts have`);
  }

  /**
   * Returns the review of a job, and opens it if it is not open. Throws the errors of {@link requirePairs}, ERR_NOT_READY
   * if its pairs are still being copied after a while, ERR_BUSY if another program reviews them or too many reviews are
   * open, and the errors of damaged pairs.
   */
  async of(id: string): Promise<OpenReview> {
    for (;;) {
      const entry = this.#entries.get(id);
      if (entry?.closed) {
        await entry.closed;
        continue;
      }
      if (this.#isStopping) throw serviceError('ERR_NOT_READY', 'The service is stopping');
      if (entry) {
        entry.usedAt = this.#now();
        return entry.review ?? this.#unlessSlow(id, entry);
      }
      if (this.#entries.size >= MAX_OPEN) {
        if (await this.#closeLongestUnused()) continue; // Another request may have opened the review meanwhile.
        throw serviceError('ERR_BUSY', `${MAX_OPEN} reviews are open: close the pages of some`);
      }
      return this.#unlessSlow(id, this.#add(id));
    }
  }

  /** Ends the streams of events of all pages, because the service stops. */
  endStreams(): void {
    this.#isStopping = true;
    for (const { review } of this.#entries.values()) {
      review?.streams.close();
      review?.session.stopMeasuring();
    }
  }

  /** Closes the reviews that nobody has used for a while. */
  async closeUnused(): Promise<void> {
    const isOld = ({ usedAt }: Entry) => this.#now() - usedAt >= IDLE_MS;
    for (const [id, entry] of this.#entries) if (isOld(entry) && isUnused(entry)) await this.#close(id, entry);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.endStreams();
    for (const [id, entry] of this.#entries) await this.#close(id, entry);
  }

  /** Throws ERR_NOT_READY if a review takes long to open, because nobody waits for minutes without a word. */
  async #unlessSlow(id: string, entry: Entry): Promise<OpenReview> {
    const gone = new AbortController();
    const slow = wait(this.settings.openMs ?? OPEN_MS, undefined, { signal: gone.signal }).then(() => {
      const { done, total } = entry.copied ?? {};
      const files = total === undefined ? '' : ` (${done} of ${total} files)`;
      const message = `The pairs of the job ${id} and what they are compared with are being copied${files}: try again in a moment`;
      throw serviceError('ERR_NOT_READY', message);
    });
    try {
      return await Promise.race([entry.opened, slow]);
    } finally {
      slow.catch(() => {});
      gone.abort();
    }
  }

  #workFolder(id: string): string {
    return join(this.settings.workFolder, `review-${id}`);
  }

  /** Closes a review that is out of date. Its pages lose their streams, and are told to load again. */
  #closeNow(id: string): void {
    const entry = this.#entries.get(id);
    entry?.review?.streams.close();
    if (entry) void this.#close(id, entry);
  }

  #now(): number {
    return (this.settings.now ?? performance.now.bind(performance))();
  }

  #add(id: string): Entry {
    const entry: Entry = {
      opened: this.#open(id, (done, total) => {
        if (this.#isStopping) throw serviceError('ERR_NOT_READY', 'The service is stopping');
        entry.copied = { done, total };
      }),
      usedAt: this.#now(),
    };
    this.#entries.set(id, entry);
    entry.opened.then(
      (review) => {
        entry.review = review;
        if (this.#isStopping) review.streams.close();
      },
      () => this.#entries.delete(id), // The next request tries again.
    );
    return entry;
  }

  async #open(id: string, onFiles: (done: number, total: number) => void): Promise<OpenReview> {
    const { store, onNote } = this.settings;
    const { job, files } = await this.requirePairs(id);
    const work = this.#workFolder(id);
    try {
      let folder = join(store.place, jobPrefix(id), 'files');
      let copyOf: BucketPairs['copyOf'] | undefined;
      if (store instanceof S3Store) {
        const bucket = new BucketPairs(store, id, () => this.#closeNow(id));
        folder = join(work, 'files');
        await bucket.fetch(files, folder, onFiles);
        copyOf = (name) => bucket.copyOf(name);
      }
      const real = await this.#realImages(job, work);
      const folders = await openReviewedFolders(folder, copyOf).catch((error) => {
        throw error instanceof DualAnoDiffError && error.code === 'ERR_BUSY' ? reviewedElsewhere(id) : error;
      });
      const session = new ReviewSession(folder, `${job.kind} ${id.slice(0, 8)}`, folders, real);
      const thumbnails = new Thumbnails(session);
      await thumbnails.removePartial();
      measureSession(session).catch((error: Error) => onNote(`review of the job ${id}: ${error.message}`));
      return { session, thumbnails, streams: new EventStreams(session) };
    } catch (error) {
      await removeFolder(work);
      throw error;
    }
  }

  /** Fetches the real images beside which pairs are shown: those of the job's dataset, if it is one category. */
  async #realImages(job: Job, folder: string): Promise<RealImages> {
    const { store, onNote } = this.settings;
    const sources: { data?: string; onto?: string } = {};
    for (const option of ['data', 'onto'] as const) {
      const name = job.options[option];
      const reference = typeof name === 'string' ? parseReference('data', name) : undefined;
      if (reference?.kind !== 'dataset') continue;
      sources[option] = await fetchInput(reference, job, { store, folder: join(folder, option) });
    }
    try {
      return await RealImages.open(sources);
    } catch (error) {
      if (!(error instanceof DatasetError)) throw error;
      onNote(`The review of the job ${job.id} shows no real images: ${error.message}`);
      return RealImages.open({});
    }
  }

  async #closeLongestUnused(): Promise<boolean> {
    const unused = [...this.#entries].filter(([, entry]) => isUnused(entry));
    const [longest] = unused.sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (longest) await this.#close(...longest);
    return longest !== undefined;
  }

  /** Closes a review. A request that comes meanwhile waits, and opens it again. */
  #close(id: string, entry: Entry): Promise<void> {
    const close = async () => {
      try {
        const { session } = await entry.opened;
        await session.close();
        await removeFolder(this.#workFolder(id));
      } catch (error) {
        this.settings.onNote(`review of the job ${id}: ${(error as Error).message}`);
      } finally {
        this.#entries.delete(id);
      }
    };
    entry.closed ??= close();
    return entry.closed;
  }
}

/** Returns whether no page of a review listens. A review that is just being opened is used. */
const isUnused = ({ review, closed }: Entry) => !closed && review?.streams.size === 0;

const reviewedElsewhere = (id: string) =>
  serviceError(
    'ERR_BUSY',
    `The pairs of the job ${id} are being reviewed elsewhere, by the command review or by another service: end that review first`,
  );

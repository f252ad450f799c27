/** Keeps the reviews of jobs open while people look at their pairs. */
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { PAIR_LIST } from '../dataset/pair-list.js';
import type { Job, JobQueue } from '../queue/job-queue.js';
import type { OpenReview } from '../review/routes.js';
import type { ManifestFile } from '../store/manifest.js';
import { readResult } from '../store/results.js';
import type { Store } from '../store/store.js';
import { serviceError } from './errors.js';
import { type JobReview, openJobReview } from './open-job-review.js';

/** A review that nobody has used for this long is closed, so that other programs can write to the folder of the pairs. */
const IDLE_MS = 10 * 60_000;
const CHECK_MS = 60_000;
/** A request waits at most this long for a review that is being opened. */
const OPEN_MS = 20_000;
/** At most this number of reviews is open at once, because each of them keeps its pairs in memory. */
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
  /** At most this number of reviews is open at once. */
  maxOpen?: number;
}

interface Entry {
  opened: Promise<JobReview>;
  /** It is undefined until the review is open. */
  review?: JobReview;
  /** A request or a page has used the review last at this time. */
  usedAt: number;
  /** The files that were copied out of a bucket, which takes a while. */
  copied?: { done: number; total: number };
  /** It is there once the review is being closed. */
  closing?: Promise<void>;
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
  async open(id: string): Promise<OpenReview> {
    for (;;) {
      const entry = this.#entries.get(id);
      if (entry?.closing) {
        await entry.closing;
        continue;
      }
      if (this.#isStopping) throw serviceError('ERR_NOT_READY', 'The service is stopping');
      if (entry) {
        entry.usedAt = this.#now();
        return entry.review ?? this.#waitBriefly(id, entry);
      }
      if (!this.#isFull) return this.#waitBriefly(id, this.#add(id));
      await this.requirePairs(id); // A request that cannot be answered closes no review.
      if (this.#entries.has(id) || !this.#isFull) continue;
      if (!(await this.#closeLongestUnused())) {
        throw serviceError('ERR_BUSY', `${this.#entries.size} reviews are open: close the pages of some`);
      }
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

  /** Waits for a review. Throws ERR_NOT_READY if it takes long to open, because nobody waits for minutes without a word. */
  async #waitBriefly(id: string, entry: Entry): Promise<OpenReview> {
    const gone = new AbortController();
    const slow = wait(this.settings.openMs ?? OPEN_MS, undefined, { signal: gone.signal }).then(() => {
      const { done, total } = entry.copied ?? {};
      const files = total === undefined ? '' : ` (${done} of ${total} files are copied)`;
      throw serviceError('ERR_NOT_READY', `The review of the job ${id} is being opened${files}: try again in a moment`);
    });
    try {
      return await Promise.race([entry.opened, slow]);
    } finally {
      slow.catch(() => {});
      gone.abort();
    }
  }

  /** Closes a review that is out of date. Its pages lose their streams, and are told to load again. */
  #closeNow(id: string): void {
    const entry = this.#entries.get(id);
    entry?.review?.streams.close();
    if (entry) void this.#close(id, entry);
  }

  get #isFull(): boolean {
    return this.#entries.size >= (this.settings.maxOpen ?? MAX_OPEN);
  }

  #now(): number {
    return (this.settings.now ?? performance.now.bind(performance))();
  }

  #add(id: string): Entry {
    const begun: Omit<Entry, 'opened'> = { usedAt: this.#now() };
    const entry: Entry = Object.assign(begun, { opened: this.#openNow(id, begun) });
    this.#entries.set(id, entry);
    entry.opened.then(
      (review) => {
        entry.review = review;
        entry.usedAt = this.#now(); // It may have taken longer to open than reviews stay unused.
        if (this.#isStopping) review.streams.close();
      },
      () => this.#entries.delete(id), // The next request tries again.
    );
    return entry;
  }

  async #openNow(id: string, entry: Omit<Entry, 'opened'>): Promise<JobReview> {
    const { store, workFolder, onNote } = this.settings;
    const { job, files } = await this.requirePairs(id);
    return openJobReview({
      ...{ store, job, files, onNote, work: join(workFolder, `review-${id}`) },
      onFiles: (done, total) => {
        if (this.#isStopping) throw serviceError('ERR_NOT_READY', 'The service is stopping');
        entry.copied = { done, total };
      },
      onOutdated: (reason) => {
        onNote(`The review of the job ${id} is closed: ${reason.message}`);
        this.#closeNow(id);
      },
      onLeave: () => {
        entry.usedAt = this.#now();
      },
    });
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
        await (await entry.opened).close();
      } catch (error) {
        this.settings.onNote(`review of the job ${id}: ${(error as Error).message}`);
      } finally {
        this.#entries.delete(id);
      }
    };
    entry.closing ??= close();
    return entry.closing;
  }
}

/** Returns whether no page of a review listens. A review that is just being opened is used. */
const isUnused = ({ review, closing }: Entry) => !closing && review?.streams.size === 0;

/** Copies the pairs of a job out of a bucket, because a review needs a folder, and what is decided about them back. */
import { createHash } from 'node:crypto';
import { writeFileAtomic } from '../core/files.js';
import { pathInside } from '../core/path-inside.js';
import { PAIR_LIST } from '../dataset/pair-list.js';
import { REVIEW_LIST } from '../dataset/reviews.js';
import type { ReviewCopy } from '../review/review-log.js';
import { fetchFiles, type ManifestFile } from '../store/manifest.js';
import { jobFileKey, jobPrefix } from '../store/results.js';
import type { S3Store } from '../store/s3-store.js';
import { fetchCorrectedMasks } from '../worker/review-files.js';
import { serviceError } from './errors.js';

/** The number of copied files is told after this many of them. */
const CHUNK = 100;

/** Returns the folders of pairs among files. Their names end with a slash, or are empty for all files. */
const foldersOf = (files: readonly ManifestFile[]) =>
  files.filter(({ path }) => `/${path}`.endsWith(`/${PAIR_LIST}`)).map(({ path }) => path.slice(0, -PAIR_LIST.length));

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');

export class BucketPairs {
  /** The versions of the lists of decisions, by their keys. */
  readonly #versions = new Map<string, string>();

  /** `onOutdated` is called if the copied pairs lack what is decided about them in the bucket. */
  constructor(
    private readonly store: S3Store,
    private readonly id: string,
    private readonly onOutdated: (reason: Error) => void,
  ) {}

  /** Copies the pairs and what was decided about them to a folder. `onFiles` gets the number of copied files. */
  async fetch(
    files: readonly ManifestFile[],
    target: string,
    onFiles: (done: number, total: number) => void,
  ): Promise<void> {
    const { store, id } = this;
    const folders = foldersOf(files);
    const needed = files.filter(({ path }) =>
      folders.some((folder) => path.startsWith(folder) && !path.startsWith(`${folder}dropped/`)),
    );
    for (let from = 0; from < needed.length; from += CHUNK) {
      onFiles(from, needed.length);
      await fetchFiles(store, jobPrefix(id), needed.slice(from, from + CHUNK), target);
    }
    for (const folder of folders) {
      const list = `${folder}${REVIEW_LIST}`;
      const key = jobFileKey(id, list);
      const { text, version } = await store.read(key);
      this.#versions.set(key, version);
      if (version !== '') await writeFileAtomic(pathInside(target, list), text);
      await fetchCorrectedMasks(store, id, folder, target); // Each mask of the list was there before its line.
    }
  }

  /** Returns what keeps the decisions about a folder in the bucket. */
  copyOf(name: string): ReviewCopy {
    const folder = name === '' ? '' : `${name}/`;
    const key = jobFileKey(this.id, `${folder}${REVIEW_LIST}`);
    /** The digests of the lists that were sent without an answer. The bucket may hold one of them. */
    const unanswered = new Set<string>();
    return {
      putMask: async (path, png) => {
        await this.store.put(jobFileKey(this.id, `${folder}${path}`), png);
      },
      putList: async (text) => {
        const version = await this.#replace(key, text, unanswered).catch((error) => {
          unanswered.add(digestOf(text));
          throw error;
        });
        if (version === undefined) throw this.#conflict();
        this.#versions.set(key, version);
        unanswered.clear();
      },
      giveUp: this.onOutdated,
    };
  }

  /** Replaces the list that was read last, or an unanswered one. Returns undefined if somebody else has written since. */
  async #replace(key: string, text: string, unanswered: ReadonlySet<string>): Promise<string | undefined> {
    const version = await this.store.replace(key, text, this.#versions.get(key) ?? '');
    if (version !== undefined || unanswered.size === 0) return version;
    const now = await this.store.read(key);
    return unanswered.has(digestOf(now.text)) ? this.store.replace(key, text, now.version) : undefined;
  }

  #conflict(): Error {
    const reason = 'Another service has changed the review of these pairs: load the page again';
    const error = serviceError('ERR_CONFLICT', reason);
    this.onOutdated(error);
    return error;
  }
}

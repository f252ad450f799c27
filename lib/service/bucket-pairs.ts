/** Copies the pairs of a job out of a bucket, because a review needs a folder, and what is decided about them back. */
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

export class BucketPairs {
  /** The versions of the lists of decisions, by their keys. */
  readonly #versions = new Map<string, string>();

  /** `onConflict` is called if somebody else has decided about the pairs, so that this review is out of date. */
  constructor(
    private readonly store: S3Store,
    private readonly id: string,
    private readonly onConflict: () => void,
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
    return {
      putMask: async (path, png) => {
        // The name has the number of the next line. If another service has written that line, its mask must stay.
        if ((await this.store.read(key)).version !== (this.#versions.get(key) ?? '')) throw this.#conflict();
        await this.store.put(jobFileKey(this.id, `${folder}${path}`), png);
      },
      putList: async (text) => {
        const version = await this.store.replace(key, text, this.#versions.get(key) ?? '');
        if (version !== undefined) {
          this.#versions.set(key, version);
          return;
        }
        throw this.#conflict();
      },
    };
  }

  #conflict(): Error {
    this.onConflict();
    return serviceError('ERR_CONFLICT', 'Another service has changed the review of these pairs: load the page again');
  }
}

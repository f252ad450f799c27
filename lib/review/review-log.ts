/** Appends the decisions about the pairs of one folder to its `reviews.jsonl`. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { namesIn, writeFileAtomic } from '../core/files.js';
import { appendJsonLine, jsonLines } from '../core/json-files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { pathInside } from '../core/path-inside.js';
import { lockFolder, type WriteLock } from '../core/write-lock.js';
import { CORRECTED, correctedPlaceOf, type PairRecord } from '../dataset/pair-record.js';
import {
  type CorrectedMask,
  linesByPair,
  type PairReview,
  REVIEW_LIST,
  type ReviewAction,
  type ReviewLine,
  readReviewFile,
  reviewOf,
} from '../dataset/reviews.js';
import { reviewEnded } from './request-error.js';

/** Keeps what is decided about a folder in another place, too, before a page shows it as saved. */
export interface ReviewCopy {
  putMask(path: string, png: Uint8Array): Promise<void>;
  /** Writes the list as a whole. */
  putList(text: string): Promise<void>;
  /** Ends the review, because the folder could not be written, and lacks what the copy has. */
  giveUp(reason: Error): void;
}

const outdated = (what: string) => reviewEnded(`${what}: load the page again`);

/**
 * The decisions about one folder. It is locked for other writers until the log is closed. Actions must follow each other:
 * the caller waits for one before the next.
 */
export class ReviewLog {
  readonly #lines: Map<number, ReviewLine[]>;
  #last: number;
  /** The content of the list, for the copy. It is empty without one. */
  #text: string;
  #isOutdated = false;

  private constructor(
    readonly folder: string,
    private readonly lock: WriteLock,
    lines: readonly ReviewLine[],
    private readonly copy: ReviewCopy | undefined,
  ) {
    this.#text = copy ? jsonLines(lines) : '';
    this.#lines = linesByPair(lines);
    this.#last = lines.reduce((last, { sequence }) => Math.max(last, sequence), 0);
  }

  /**
   * Opens the log of a folder of pairs. A line that a kill has cut off is removed. Throws ERR_BUSY if another process
   * writes to the folder, and ERR_FILE_ACCESS with the line that is invalid.
   */
  static async open(folder: string, copy?: ReviewCopy): Promise<ReviewLog> {
    const lock = await lockFolder(folder);
    try {
      await removePartialFiles(folder, (name) => name === REVIEW_LIST);
      for (const type of await namesIn(join(folder, CORRECTED))) {
        await removePartialFiles(join(folder, CORRECTED, type), (name) => name.endsWith('.png'));
      }
      const { lines, isTidy } = await readReviewFile(folder);
      if (!isTidy) await writeFileAtomic(join(folder, REVIEW_LIST), jsonLines(lines));
      return new ReviewLog(folder, lock, lines, copy);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Returns true if some line is about the pair, or about an earlier one of its number. */
  knows({ index }: PairRecord): boolean {
    return this.#lines.has(index);
  }

  /** Returns what is decided about a pair with this digest. Throws ERR_FILE_ACCESS with the line that is invalid. */
  reviewOf(record: PairRecord, digest: string): PairReview {
    return reviewOf(this.folder, record, digest, this.#lines.get(record.index) ?? []);
  }

  /**
   * Writes an action. It is in the copy and on the disk when the promise resolves. Throws ERR_FILE_ACCESS and the errors of
   * the copy, and then the log is as before. A copy whose answer was lost may have the action all the same, until the next
   * one replaces it. Throws ERR_REVIEW_ENDED if only the copy has got the action: then the log takes no more of them.
   */
  async append({ index }: PairRecord, digest: string, action: ReviewAction): Promise<void> {
    if (this.#isOutdated) throw outdated('The review has ended');
    const sequence = this.#last + 1;
    const line: ReviewLine = { sequence, index, digest, ...action, time: new Date().toISOString() };
    const text = this.copy ? this.#text + jsonLines([line]) : '';
    await this.copy?.putList(text);
    try {
      await appendJsonLine(join(this.folder, REVIEW_LIST), line, { flush: true });
    } catch (error) {
      if (!this.copy) throw error;
      this.#isOutdated = true;
      this.copy.giveUp(error as Error);
      throw outdated('The change is saved, but the review has ended');
    }
    this.#text = text;
    this.#last = sequence;
    this.#lines.set(index, [...(this.#lines.get(index) ?? []), line]);
  }

  /** Writes a corrected mask, and then the line that names it. Earlier masks stay, so that it can be taken back. */
  async correct(
    record: PairRecord,
    digest: string,
    png: Uint8Array,
    facts: Omit<CorrectedMask, 'path'>,
  ): Promise<void> {
    // Another service may write a mask of the same number to the copy at the same moment.
    const tag = this.copy && randomBytes(4).toString('hex');
    const path = correctedPlaceOf(record.type, record.index, this.#last + 1, tag);
    await writeFileAtomic(pathInside(this.folder, path), png);
    await this.copy?.putMask(path, png);
    await this.append(record, digest, { action: 'mask', mask: { path, ...facts } });
  }

  /** Releases the folder for other writers. */
  close(): Promise<void> {
    return this.lock.release();
  }
}

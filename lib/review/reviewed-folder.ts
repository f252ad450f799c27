/** Opens the folders of pairs below the folder that is reviewed. */
import { join, relative, resolve, sep } from 'node:path';
import { DatasetError } from '../core/errors.js';
import { fewAtOnce } from '../core/few-at-once.js';
import { pairFoldersIn } from '../dataset/dataset-images.js';
import { isFolder } from '../dataset/folders.js';
import { PAIR_LIST, readPairList, requireTypeName } from '../dataset/pair-list.js';
import type { PairRecord } from '../dataset/pair-record.js';
import { type PairReview, pairDigest } from '../dataset/reviews.js';
import { FactsCache, type PairFacts } from './pair-facts.js';
import { type ReviewCopy, ReviewLog } from './review-log.js';

/** A pair that is being reviewed. */
export interface OpenPair {
  /** The place of its folder in the list of folders. */
  folder: number;
  log: ReviewLog;
  cache: FactsCache;
  record: PairRecord;
  /** They are undefined until the pair is measured. */
  facts: PairFacts | undefined;
  /** What is decided about it now. */
  review: PairReview;
}

/** A folder of pairs, which is locked for other writers. */
export interface ReviewedFolder {
  /** The path relative to the folder that is reviewed. It is empty for that folder itself. */
  name: string;
  log: ReviewLog;
  cache: FactsCache;
  pairs: OpenPair[];
}

/** Opens a pair without measuring it. Its files are looked at only if somebody has reviewed it. */
async function openPair(pair: Omit<OpenPair, 'facts' | 'review'>): Promise<OpenPair> {
  const { log, record } = pair;
  const review = log.knows(record) ? log.reviewOf(record, await pairDigest(log.folder, record)) : {};
  return { ...pair, facts: undefined, review };
}

/** Releases folders for other writers, all of them even if that fails for one. */
export async function closeFolders(folders: readonly { log: ReviewLog }[]): Promise<void> {
  const ends = await Promise.allSettled(folders.map(({ log }) => log.close()));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/**
 * Opens every folder of pairs in `root`, or `root` itself. Pairs that were dropped when they were made are left out.
 * `copyOf` gets the relative path of a folder, and returns where its decisions are kept, too.
 *
 * Throws ERR_DATASET_INVALID if there is no pair, ERR_BUSY if another process writes to one of the folders, and
 * ERR_FILE_ACCESS with the line of a list that is invalid.
 */
export async function openReviewedFolders(
  root: string,
  copyOf: (name: string) => ReviewCopy | undefined = () => undefined,
): Promise<ReviewedFolder[]> {
  const path = resolve(root);
  if (!(await isFolder(path))) throw new DatasetError(`The folder ${path} does not exist`);
  const folders: ReviewedFolder[] = [];
  const locked: { log: ReviewLog }[] = [];
  try {
    for (const folder of await pairFoldersIn(path)) {
      const name = relative(path, folder).split(sep).join('/');
      const log = await ReviewLog.open(folder, copyOf(name));
      locked.push({ log });
      const list = join(folder, PAIR_LIST);
      const records = (await readPairList(list)).records.filter(({ dropped }) => dropped === undefined);
      for (const record of records) requireTypeName(list, record);
      const cache = await FactsCache.open(folder);
      const pairs = await fewAtOnce(records, (record) => openPair({ folder: folders.length, log, cache, record }));
      folders.push({ name, log, cache, pairs });
    }
    if (folders.every(({ pairs }) => pairs.length === 0)) {
      throw new DatasetError(`${path} holds no generated pairs: expected ${PAIR_LIST} in it or in folders below it`);
    }
    return folders;
  } catch (error) {
    await closeFolders(locked).catch(() => {}); // The first failure is the cause.
    throw error;
  }
}

/** Opens the folders of pairs below the folder that is reviewed. */
import { join, relative, resolve, sep } from 'node:path';
import { DatasetError } from '../core/errors.js';
import { pairFoldersIn } from '../dataset/dataset-images.js';
import { isFolder } from '../dataset/folders.js';
import { PAIR_LIST, readPairList, requireTypeName } from '../dataset/pair-list.js';
import type { PairRecord } from '../dataset/pair-record.js';
import type { PairReview } from '../dataset/reviews.js';
import { factsOf, type PairFacts } from './pair-facts.js';
import { ReviewLog } from './review-log.js';

/** A pair that is being reviewed. */
export interface OpenPair {
  /** The place of its folder in the list of folders. */
  folder: number;
  log: ReviewLog;
  record: PairRecord;
  facts: PairFacts;
  /** What is decided about it now. */
  review: PairReview;
}

/** A folder of pairs, which is locked for other writers. */
export interface ReviewedFolder {
  /** The path relative to the folder that is reviewed. It is empty for that folder itself. */
  name: string;
  log: ReviewLog;
  pairs: OpenPair[];
}

async function openPairs(
  log: ReviewLog,
  folder: number,
  records: readonly PairRecord[],
  onPairs: (done: number) => void,
): Promise<OpenPair[]> {
  const facts = await factsOf(log.folder, records, onPairs);
  return records.map((record, i) => {
    const own = facts[i] as PairFacts;
    return { folder, log, record, facts: own, review: log.reviewOf(record, own.digest) };
  });
}

/**
 * Opens every folder of pairs in `root`, or `root` itself. Pairs that were dropped when they were made are left out.
 * `onPairs` gets the number of pairs that are ready and of all pairs, and may throw to end the work.
 *
 * Throws ERR_DATASET_INVALID if there is no pair, ERR_BUSY if another process writes to one of the folders, and
 * ERR_FILE_ACCESS with the line of a list that is invalid.
 */
export async function openReviewedFolders(
  root: string,
  onPairs: (done: number, total: number) => void,
): Promise<ReviewedFolder[]> {
  const path = resolve(root);
  if (!(await isFolder(path))) throw new DatasetError(`The folder ${path} does not exist`);
  const logs: ReviewLog[] = [];
  try {
    const lists: PairRecord[][] = [];
    for (const folder of await pairFoldersIn(path)) {
      logs.push(await ReviewLog.open(folder));
      const list = join(folder, PAIR_LIST);
      const records = (await readPairList(list)).records.filter(({ dropped }) => dropped === undefined);
      for (const record of records) requireTypeName(list, record);
      lists.push(records);
    }
    const total = lists.reduce((sum, { length }) => sum + length, 0);
    if (total === 0) {
      throw new DatasetError(`${path} holds no generated pairs: expected ${PAIR_LIST} in it or in folders below it`);
    }
    const folders: ReviewedFolder[] = [];
    let before = 0;
    for (const [i, log] of logs.entries()) {
      const records = lists[i] as PairRecord[];
      const pairs = await openPairs(log, i, records, (done) => onPairs(before + done, total));
      before += records.length;
      folders.push({ name: relative(path, log.folder).split(sep).join('/'), log, pairs });
    }
    return folders;
  } catch (error) {
    for (const log of logs) await log.close();
    throw error;
  }
}

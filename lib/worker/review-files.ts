/** Copies what people decided about the pairs of a job, which they did after its result was published. */

import { pathInside } from '../core/path-inside.js';
import { PAIR_LIST } from '../dataset/pair-list.js';
import { CORRECTED } from '../dataset/pair-record.js';
import { REVIEW_LIST } from '../dataset/reviews.js';
import type { ManifestFile } from '../store/manifest.js';
import { jobFileKey } from '../store/results.js';
import type { Store } from '../store/store.js';
import { downloadFile } from '../store/transfer.js';

/** Copies the reviews and corrected masks beside the lists of pairs among `files` to `target`. */
export async function fetchReviews(
  store: Store,
  id: string,
  files: readonly ManifestFile[],
  target: string,
): Promise<void> {
  const folders = files.filter(({ path }) => `/${path}`.endsWith(`/${PAIR_LIST}`));
  for (const { path } of folders) {
    const folder = path.slice(0, -PAIR_LIST.length);
    const list = `${folder}${REVIEW_LIST}`;
    if (!(await store.head(jobFileKey(id, list)))) continue;
    await downloadFile(store, jobFileKey(id, list), pathInside(target, list));
    await fetchCorrectedMasks(store, id, folder, target);
  }
}

/** Copies the corrected masks of a folder of pairs. Its name ends with a slash, or is empty for the files of the job. */
export async function fetchCorrectedMasks(store: Store, id: string, folder: string, target: string): Promise<void> {
  const prefix = jobFileKey(id, `${folder}${CORRECTED}`);
  for await (const { key } of store.list(prefix)) {
    const mask = `${folder}${CORRECTED}${key.slice(prefix.length)}`;
    await downloadFile(store, key, pathInside(target, mask));
  }
}

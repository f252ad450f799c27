/** Puts the results of a campaign's parts where the campaign of one type looks for finished work. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../core/errors.js';
import { writeFileAtomic } from '../core/files.js';
import { pathInside } from '../core/path-inside.js';
import { PAIR_LIST } from '../dataset/pair-list.js';
import { fetchFiles } from '../store/manifest.js';
import { jobPrefix, readResult } from '../store/results.js';
import type { Store } from '../store/store.js';

/** The jobs that have made the parts of the campaign of one type. */
export interface TypeParts {
  learned: string;
  pairs: readonly string[];
}

/** Fetches the adapter with its log, and the pairs of all parts with one list. Throws the errors of the store. */
export async function fetchParts(store: Store, { learned, pairs }: TypeParts, folder: string, type: string) {
  const target = pathInside(folder, type);
  await fetchPart(store, learned, target);
  const lists: string[] = [];
  for (const id of pairs) {
    const dataset = join(target, 'dataset');
    await fetchPart(store, id, dataset);
    lists.push(await readFile(join(dataset, PAIR_LIST), 'utf8'));
  }
  await writeFileAtomic(join(target, 'dataset', PAIR_LIST), lists.join(''));
}

async function fetchPart(store: Store, id: string, folder: string): Promise<void> {
  const result = await readResult(store, id);
  if (!result) throw new StoreError(`The files of the job ${id} are gone: retry the campaign`, 'ERR_NOT_FOUND');
  await fetchFiles(store, jobPrefix(id), result.files, folder);
}

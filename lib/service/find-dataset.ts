import { StoreError } from '../core/errors.js';
import { readDataset, type StoredDataset } from '../store/datasets.js';
import type { Store } from '../store/store.js';
import { serviceError } from './errors.js';

/** Describes a dataset. Throws ERR_NOT_FOUND with a message that does not name the place of the store. */
export async function findDataset(store: Store, name: string): Promise<StoredDataset> {
  try {
    return await readDataset(store, name);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'ERR_NOT_FOUND') throw error;
    throw serviceError('ERR_NOT_FOUND', `There is no dataset ${name}: upload it with PUT /v1/datasets/${name}`);
  }
}

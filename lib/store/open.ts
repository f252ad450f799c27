/** Opens the store that an option names. */
import { InvalidOptionError } from '../core/errors.js';
import { FolderStore } from './folder-store.js';
import type { Store } from './store.js';

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Opens the store of a folder, or of an address `s3://BUCKET/PREFIX`. Throws ERR_INVALID_OPTION. */
export async function openStore(place: string): Promise<Store> {
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(place) ?? [];
  if (scheme === undefined) return new FolderStore(place);
  const [bucket = '', ...names] = rest.replace(/\/$/, '').split('/');
  if (scheme.toLowerCase() !== 's3' || !BUCKET.test(bucket)) {
    throw new InvalidOptionError(`Expected a folder or s3://BUCKET/PREFIX for store but received ${place}`);
  }
  const { S3Store } = await import('./s3-store.js'); // The client of S3 is large, and most stores are folders.
  return new S3Store(bucket, names.join('/'));
}

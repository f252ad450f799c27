import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DownloadError, withFileErrors } from '../core/errors.js';

/** A wheel of a Python package index, pinned by its SHA-256. */
export interface Wheel {
  name: string;
  version: string;
  file: string;
  sha256: string;
  sizeMb: number;
  /** A version of Python that the wheel accepts, such as `310`. Defaults to {@link DEFAULT_PYTHON}. */
  python?: string;
}

/** pip downloads a wheel as for this version of Python. The version on the machine does not matter. */
export const DEFAULT_PYTHON = '312';

/** Returns the SHA-256 of a file in hexadecimal digits. */
export async function sha256Of(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, signal === undefined ? {} : { signal });
  return hash.digest('hex');
}

/** Describes a wheel in two lines of a message. */
export const nameAndDigest = ({ file, sizeMb, sha256 }: Wheel) => `  ${file}\n    ${sizeMb} MB, SHA-256 ${sha256}`;

/** Throws ERR_DOWNLOAD if the file's digest is not the pinned one. */
export async function verifyWheel(path: string, wheel: Wheel, signal?: AbortSignal): Promise<void> {
  const digest = await withFileErrors('read', path, () => sha256Of(path, signal));
  if (digest === wheel.sha256) return;
  throw new DownloadError(
    `${basename(path)} has the SHA-256 ${digest}, expected ${wheel.sha256}: it is damaged, incomplete or another build. Download it again.`,
  );
}

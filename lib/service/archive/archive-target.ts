/** Writes the entries of a stranger's archive to a folder, within limits. */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DualAnoDiffError } from '../../core/errors.js';
import { createFolder } from '../../core/files.js';
import { pathInside } from '../../core/path-inside.js';

export interface ArchiveLimits {
  /** The largest size of the archive itself, in bytes. */
  archiveBytes: number;
  /** The largest size of all files together, in bytes. */
  unpackedBytes: number;
  /** The largest number of entries, including folders and hidden files. */
  entries: number;
}

/** Describes what was unpacked. */
export interface UnpackedArchive {
  files: number;
  bytes: number;
  /** The number of hidden files that were left out, such as those that macOS adds. */
  leftOut: number;
}

/** Paths of common file systems have at most these numbers of bytes and folders. */
const MAX_PATH_BYTES = 900;
const MAX_NAME_BYTES = 255;
const MAX_DEPTH = 16;

export const invalidArchive = (reason: string, options?: ErrorOptions) =>
  new DualAnoDiffError(`The archive cannot be used: ${reason}`, 'ERR_ARCHIVE_INVALID', options);

export const tooLarge = (what: string, limit: number, unit: string) =>
  new DualAnoDiffError(`${what} has more than ${limit} ${unit}: split it, or raise the limit`, 'ERR_TOO_LARGE');

/** Returns the path of an entry below the folder, or undefined for a hidden one. Throws ERR_ARCHIVE_INVALID. */
export function entryPath(name: string): string | undefined {
  const shown = JSON.stringify(name.slice(0, 200));
  if (/[\\\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(name))
    throw invalidArchive(`${shown} has a backslash or a control character`);
  if (name.includes('\ufffd')) throw invalidArchive(`${shown} is a name that is not in UTF-8`);
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) throw invalidArchive(`${shown} is an absolute path`);
  const names = name.split('/').filter((one) => one !== '' && one !== '.');
  if (names.includes('..')) throw invalidArchive(`${shown} leads out of the archive`);
  const path = names.join('/').normalize('NFC');
  const isLong =
    Buffer.byteLength(path) > MAX_PATH_BYTES || names.some((one) => Buffer.byteLength(one) > MAX_NAME_BYTES);
  if (isLong || names.length > MAX_DEPTH) throw invalidArchive(`the path ${shown}… is too long`);
  if (names.some((one) => one.trim() !== one)) throw invalidArchive(`${shown} has a name with a space at its end`);
  return names.some((one) => one.startsWith('.') || one === '__MACOSX') ? undefined : path;
}

/** Passes a stream on, and fails with `error` if it has more bytes than the limit. */
export function limited(bytes: number, error: () => Error): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      left -= chunk.length;
      if (left < 0) done(error());
      else done(null, chunk);
    },
  });
}

/** Writes a stream to a new file. When the promise is settled, the file is closed, or will not be created any more. */
export async function writeNew(path: string, content: NodeJS.ReadableStream, limit: Transform): Promise<number> {
  const file = createWriteStream(path, { flags: 'wx' });
  const closed = new Promise<void>((resolve) => file.once('close', resolve));
  try {
    await pipeline(content, limit, file);
    return file.bytesWritten;
  } finally {
    await closed; // A pipeline that fails does not wait for a file that is just being opened.
  }
}

export class ArchiveTarget {
  readonly unpacked: UnpackedArchive = { files: 0, bytes: 0, leftOut: 0 };
  #entries = 0;

  constructor(
    private readonly folder: string,
    private readonly limits: ArchiveLimits,
  ) {}

  /** Counts an entry. Throws ERR_TOO_LARGE. */
  count(): void {
    if (++this.#entries > this.limits.entries) throw tooLarge('The archive', this.limits.entries, 'entries');
  }

  /**
   * Writes a file, or leaves out a hidden one. `size` is what the archive claims. Throws ERR_ARCHIVE_INVALID and
   * ERR_TOO_LARGE.
   */
  async write(name: string, size: number, open: () => Promise<NodeJS.ReadableStream>): Promise<void> {
    const path = entryPath(name);
    if (path === undefined) {
      this.unpacked.leftOut++;
      return;
    }
    if (path === '') throw invalidArchive('an entry has no name');
    const { unpackedBytes } = this.limits;
    const error = () => tooLarge('The content of the archive', unpackedBytes, 'bytes');
    if (this.unpacked.bytes + size > unpackedBytes) throw error();
    const target = pathInside(this.folder, path);
    let written = 0;
    try {
      await createFolder(join(target, '..'));
      const content = await open(); // It may fail, and then there is no file to close.
      written = await writeNew(target, content, limited(unpackedBytes - this.unpacked.bytes, error));
    } catch (cause) {
      const { code = '' } = cause as NodeJS.ErrnoException;
      if (!['EEXIST', 'EISDIR', 'ENOTDIR'].includes(code)) throw cause;
      throw invalidArchive(`it holds ${path} twice, or as a file and as a folder`, { cause });
    }
    this.unpacked.files++;
    this.unpacked.bytes += written;
  }
}

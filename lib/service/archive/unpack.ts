/** Receives an archive of a stranger and unpacks it. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import {
  type ArchiveLimits,
  ArchiveTarget,
  invalidArchive,
  limited,
  tooLarge,
  type UnpackedArchive,
  writeNew,
} from './archive-target.js';
import { unpackTar } from './tar.js';
import { unpackZip } from './zip.js';

/** A tar archive has a header of this size for each entry, and fills the last block of each file. */
const TAR_BLOCK_BYTES = 512;
/** A long name is in an entry of its own, which has a header and at least one block. */
const TAR_BLOCKS_OF_ENTRY = 6;

/** Writes an upload to a file. Throws ERR_TOO_LARGE. */
export async function receiveArchive(upload: Readable, file: string, limits: ArchiveLimits): Promise<void> {
  const error = () => tooLarge('The archive', limits.archiveBytes, 'bytes');
  await writeNew(file, upload, limited(limits.archiveBytes, error));
}

/** The kind of an archive is known by this number of its bytes. */
const START_BYTES = 7;

async function startOf(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(START_BYTES), 0, START_BYTES, 0);
    return buffer.subarray(0, bytesRead).toString('latin1');
  } finally {
    await handle.close();
  }
}

const GZIP = '\x1f\x8b';
const isGzip = (start: string | Buffer) => start.toString('latin1').startsWith(GZIP);
/** The first file of a tar archive may have a name that begins with PK, too. */
const isZip = (start: string) => start.startsWith('PK\x03\x04') || start.startsWith('PK\x05\x06');
/** Archives that people send by mistake begin like this. The first file of a tar archive has no such name. */
const OTHERS: Record<string, string> = {
  BZh91AY: 'bzip2',
  '\xfd7zXZ\0': 'xz',
  '7z\xbc\xaf\x27': '7-Zip',
  'Rar!\x1a\x07': 'RAR',
  '\x28\xb5\x2f\xfd': 'zstd',
};

/** Refuses a second compression, which the reader of tar would undo without a limit. */
async function* notCompressed(archive: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let start = Buffer.alloc(0);
  for await (const chunk of archive) {
    if (start.length < GZIP.length) start = Buffer.concat([start, chunk.subarray(0, GZIP.length)]);
    if (isGzip(start)) throw invalidArchive('it is compressed twice');
    yield chunk;
  }
}

async function unpackTarFile(
  file: string,
  compressed: boolean,
  target: ArchiveTarget,
  limits: ArchiveLimits,
): Promise<void> {
  const content = createReadStream(file);
  if (!compressed) return unpackTar(notCompressed(content), target);
  const bytes = limits.unpackedBytes + limits.entries * TAR_BLOCKS_OF_ENTRY * TAR_BLOCK_BYTES;
  const unzipped = limited(bytes, () => tooLarge('The content of the archive', limits.unpackedBytes, 'bytes'));
  const reading = pipeline(content, createGunzip(), unzipped).catch((cause) => {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    if (code === 'ABORT_ERR') return; // unpackTar has stopped reading, and tells why.
    throw code.startsWith('Z_') ? invalidArchive(message, { cause }) : cause;
  });
  const unpacking = unpackTar(notCompressed(unzipped), target);
  try {
    await Promise.all([reading, unpacking]);
  } finally {
    await Promise.allSettled([reading, unpacking]); // Nothing may still be written when the folder is removed.
  }
}

/**
 * Unpacks a tar archive, which gzip may have compressed, or a zip archive. The content tells which one it is. Hidden
 * files are left out.
 *
 * Throws ERR_ARCHIVE_INVALID for other files, damaged ones, links, names that lead out of the folder and names that are
 * there twice, and ERR_TOO_LARGE.
 */
export async function unpackArchive(file: string, folder: string, limits: ArchiveLimits): Promise<UnpackedArchive> {
  const target = new ArchiveTarget(folder, limits);
  const start = await startOf(file);
  const [, other] = Object.entries(OTHERS).find(([beginning]) => start.startsWith(beginning)) ?? [];
  if (other !== undefined) throw invalidArchive(`${other} is not read: send tar, tar with gzip, or zip`);
  if (isZip(start)) await unpackZip(file, target);
  else if (start === '') throw invalidArchive('it is empty');
  else await unpackTarFile(file, isGzip(start), target, limits);
  if (target.unpacked.files === 0) throw invalidArchive('it holds no files');
  return target.unpacked;
}

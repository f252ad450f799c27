import { createWriteStream } from 'node:fs';
import { chmod, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import yauzl from 'yauzl';
import { DownloadError, DualAnoDiffError } from '../core/errors.js';

const damaged = (file: string, reason: string, options?: ErrorOptions) =>
  new DownloadError(`${file} cannot be unpacked: ${reason}`, options);

/** Throws ERR_DOWNLOAD if a file is not a zip, which happens when a server answers with a web page. */
async function requireZip(file: string): Promise<void> {
  const handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0).finally(() => handle.close());
  const start = buffer.subarray(0, bytesRead).toString('latin1');
  if (start.startsWith('PK')) return;
  const kind = /^\s*<(!doctype|html|\?xml)/i.test(start) ? 'it is a web page' : 'it is not a zip archive';
  throw damaged(file, `${kind} (it begins with ${JSON.stringify(start.slice(0, 24))})`);
}

/** Creates a stream that passes bytes on. It fails at the end if their CRC-32 is not `expected`. */
export function checkingCrc(name: string, expected: number): Transform {
  let crc = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      crc = crc32(chunk, crc);
      done(null, chunk);
    },
    flush: (done) => done(crc === expected ? null : new Error(`${name} is damaged (wrong CRC-32)`)),
  });
}

const isLink = (entry: yauzl.Entry): boolean => entry.externalFileAttributes >>> 28 === 0o12;

async function unpackEntry(zip: yauzl.ZipFile, entry: yauzl.Entry, folder: string, signal?: AbortSignal) {
  if (isLink(entry)) throw new Error(`${entry.fileName} is a symbolic link`);
  const stream = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    zip.openReadStream(entry, (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  const target = join(folder, entry.fileName);
  await mkdir(dirname(target), { recursive: true });
  const options = signal === undefined ? {} : { signal };
  await pipeline(stream, checkingCrc(entry.fileName, entry.crc32), createWriteStream(target), options);
  await chmod(target, 0o755);
}

/**
 * Unpacks the entries of a zip that `wanted` accepts and returns their number. Throws ERR_DOWNLOAD for links,
 * for entries with a wrong CRC-32, and for names that leave the folder, which yauzl rejects.
 */
export async function unpackZip(
  file: string,
  folder: string,
  wanted: (name: string) => boolean,
  signal?: AbortSignal,
): Promise<number> {
  await requireZip(file);
  const zip = await new Promise<yauzl.ZipFile>((resolve, reject) => {
    yauzl.open(file, { lazyEntries: true, autoClose: false }, (error, opened) =>
      error ? reject(damaged(file, error.message, { cause: error })) : resolve(opened),
    );
  });
  let count = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      zip.on('error', reject);
      zip.on('end', resolve);
      zip.on('entry', (entry: yauzl.Entry) => {
        if (entry.fileName.endsWith('/') || !wanted(entry.fileName)) return zip.readEntry();
        unpackEntry(zip, entry, folder, signal).then(() => {
          count++;
          zip.readEntry();
        }, reject);
      });
      zip.readEntry();
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // System errors, such as a full disk, do not mean that the archive is damaged.
    const isOtherError = error instanceof DualAnoDiffError || signal?.aborted || /^E[A-Z]+$/.test(code ?? '');
    throw isOtherError ? error : damaged(file, message, { cause: error });
  } finally {
    zip.close();
  }
  return count;
}

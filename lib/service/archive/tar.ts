/** Unpacks tar archives. */
import { once } from 'node:events';
import { addAbortSignal, Readable } from 'node:stream';
import { Parser, type ReadEntry } from 'tar';
import { DualAnoDiffError } from '../../core/errors.js';
import { type ArchiveTarget, invalidArchive } from './archive-target.js';

const FILES = ['File', 'OldFile', 'ContiguousFile'];

/** Unpacks an entry. If the signal fires, the entry may never end, so that its file must be closed. */
async function unpackEntry(entry: ReadEntry, target: ArchiveTarget, failed: AbortSignal): Promise<void> {
  target.count();
  if (FILES.includes(entry.type)) {
    await target.write(entry.path, entry.size, async () =>
      addAbortSignal(failed, Readable.from(entry as AsyncIterable<Buffer>)),
    );
  } else if (entry.type !== 'Directory' && entry.type !== 'GNUDumpDir') {
    throw invalidArchive(`${JSON.stringify(entry.path)} is a ${entry.type}, and only files and folders are taken`);
  }
  entry.resume(); // An entry that was left out must be read, too.
}

/** Unpacks a tar archive that is not compressed. Throws ERR_ARCHIVE_INVALID and ERR_TOO_LARGE. */
export async function unpackTar(archive: AsyncIterable<Buffer>, target: ArchiveTarget): Promise<void> {
  const failed = new AbortController();
  const fail = (error: unknown) => failed.abort(error);
  let unpacked = Promise.resolve();
  const parser = new Parser({
    ...{ strict: true, brotli: false, zstd: false },
    onReadEntry(entry) {
      unpacked = unpacked.then(() => {
        if (!failed.signal.aborted) return unpackEntry(entry, target, failed.signal);
      });
      unpacked.catch(fail);
    },
  });
  parser.on('error', (cause: Error) =>
    fail(cause instanceof DualAnoDiffError ? cause : invalidArchive(cause.message, { cause })),
  );
  let isOver = false;
  parser.once('eof', () => {
    isOver = true;
  });
  const ended = once(parser, 'end', { signal: failed.signal });
  ended.catch(() => {}); // The reason of the abort is thrown below.
  try {
    for await (const chunk of archive) {
      if (failed.signal.aborted) break;
      // The parser would collect in memory, and copy again and again, what follows the end of the archive.
      if (isOver) continue;
      if (!parser.write(chunk)) await once(parser, 'drain', { signal: failed.signal });
    }
    if (!failed.signal.aborted) parser.end();
    await ended;
    await unpacked;
  } catch (error) {
    fail(error); // It keeps its first reason.
    await unpacked.catch(() => {});
    throw failed.signal.reason;
  }
}

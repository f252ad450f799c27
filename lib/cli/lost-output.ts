/**
 * Keeps the command running when standard output or standard error can no longer be written, because its files are the
 * result that matters. Without a listener, Node would end the process at the first line after `| head` has ended or the
 * terminal was closed.
 */
import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { fileErrorReason } from '../core/errors.js';

/** These errors mean that the reader has closed the stream and wants no more output. */
const READER_GONE = ['EPIPE', 'EIO', 'ENXIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED'];

/**
 * Must be called once, before any output. If the result itself is lost, as on a full disk, the command fails at its
 * end. A lost line of progress is no failure.
 */
export function keepGoingWithoutReaders(): void {
  process.stderr.on('error', () => {});
  let isReported = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (isReported || READER_GONE.includes(error.code ?? '')) return;
    isReported = true;
    process.stderr.write(`error: cannot write standard output: ${fileErrorReason(error)}\n`);
    process.exitCode ||= 1;
  });
  closeLostTerminalsAtExit();
}

/**
 * Closes lost terminals at exit. Node resets all terminals at exit and aborts on a lost one, because its `ResetStdio`
 * expects no EIO. It skips closed ones.
 */
function closeLostTerminalsAtExit(): void {
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  process.on('exit', () => {
    for (const fd of terminals) if (!isatty(fd)) closeSync(fd);
  });
}

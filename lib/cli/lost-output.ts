/**
 * The command goes on when standard output or standard error can no longer be written, because its files are what
 * counts. Without a listener, Node would end the process at the first line after `| head` has ended or a terminal closed.
 */
import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { fileErrorReason } from '../core/errors.js';

/** Whoever read it is gone, and wants nothing more. */
const READER_GONE = ['EPIPE', 'EIO', 'ENXIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED'];

/**
 * To be called once, before anything is written. Where the result itself is lost, as on a full disk, the command fails
 * in the end; a lost line of progress is no failure.
 */
export function keepGoingWithoutReaders(): void {
  process.stderr.on('error', () => {});
  let isTold = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (isTold || READER_GONE.includes(error.code ?? '')) return;
    isTold = true;
    process.stderr.write(`error: cannot write standard output: ${fileErrorReason(error)}\n`);
    process.exitCode ||= 1;
  });
  closeLostTerminalsAtExit();
}

/**
 * Node sets terminals back at exit, and aborts where one of them is gone (its `ResetStdio` expects no EIO). It leaves alone
 * what is closed.
 */
function closeLostTerminalsAtExit(): void {
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  process.on('exit', () => {
    for (const fd of terminals) if (!isatty(fd)) closeSync(fd);
  });
}

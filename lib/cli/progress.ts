/** Shows the progress of one stage of a command, as a bar on a terminal or as a few lines elsewhere. */
import { SingleBar } from 'cli-progress';

export interface Progress {
  /** Shows that `done` units are finished. `note` is printed behind the bar. */
  update(done: number, note?: string): void;
  stop(): void;
}

/** Shows a bar with the speed and the remaining time. */
export function barProgress(what: string, total: number, unit: string): Progress {
  const format = `${what} {bar} {value}/{total} {speed} ${unit}/s, {eta_formatted} left {note}`;
  const bar = new SingleBar({ format, barCompleteChar: '█', barIncompleteChar: '░', hideCursor: true, etaBuffer: 50 });
  const start = performance.now();
  bar.start(total, 0, { speed: '-', note: '' });
  let first: number | undefined;
  return {
    update(done, note = '') {
      first ??= done - 1; // A resumed run does not begin at 0.
      const speed = ((done - first) / (performance.now() - start)) * 1000;
      bar.update(done, { speed: speed.toFixed(2), note });
    },
    stop: () => bar.stop(),
  };
}

/** Prints about ten lines in all, which suit log files. */
export function lineProgress(what: string, total: number, unit: string): Progress {
  const start = performance.now();
  let first: number | undefined;
  let next = 0;
  return {
    update(done, note = '') {
      first ??= done - 1;
      if (done < next && done !== total) return;
      next = done + Math.max(1, Math.ceil(total / 10));
      const speed = ((done - first) / (performance.now() - start)) * 1000;
      const left = Math.round((total - done) / speed);
      process.stderr.write(`${what} ${done}/${total} ${speed.toFixed(2)} ${unit}/s, ${left}s left ${note}\n`);
    },
    stop: () => {},
  };
}

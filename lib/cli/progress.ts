/** Shows the progress of one stage of a command, as a bar on a terminal or as a few lines elsewhere. */
import { SingleBar } from 'cli-progress';

export interface Progress {
  /** Shows that `done` units are finished. `note` is printed behind the bar. */
  update(done: number, note?: string): void;
  stop(): void;
}

/** Measures the speed of work from its first update on, because a resumed run does not begin at 0. */
function speedometer(): (done: number) => number | undefined {
  let first: { done: number; at: number } | undefined;
  return (done) => {
    first ??= { done, at: performance.now() };
    return done === first.done ? undefined : ((done - first.done) / (performance.now() - first.at)) * 1000;
  };
}

/** Shows a bar with the speed and the remaining time. */
export function barProgress(what: string, total: number, unit: string): Progress {
  const format = `${what} {bar} {value}/{total} {speed} ${unit}/s, {eta_formatted} left {note}`;
  const bar = new SingleBar({ format, barCompleteChar: '█', barIncompleteChar: '░', hideCursor: true, etaBuffer: 50 });
  const speedAt = speedometer();
  bar.start(total, 0, { speed: '-', note: '' });
  return {
    update: (done, note = '') => bar.update(done, { speed: speedAt(done)?.toFixed(2) ?? '-', note }),
    stop: () => bar.stop(),
  };
}

/** Prints about ten lines in all, which suit log files. */
export function lineProgress(what: string, total: number, unit: string): Progress {
  const speedAt = speedometer();
  let next = 0;
  return {
    update(done, note = '') {
      const speed = speedAt(done);
      if (done < next && done !== total) return;
      next = done + Math.max(1, Math.ceil(total / 10));
      const rate =
        speed === undefined ? '' : ` ${speed.toFixed(2)} ${unit}/s, ${Math.round((total - done) / speed)}s left`;
      process.stderr.write(`${what} ${done}/${total}${rate} ${note}\n`);
    },
    stop: () => {},
  };
}

/** Shows the progress of one stage of a command, as a bar on a terminal or as a few lines elsewhere. */
import cliProgress from 'cli-progress';
import { Speedometer } from './speedometer.js';

export interface Progress {
  /**
   * Shows that `done` units are finished, of which an earlier process finished `doneBefore`. `note` is printed behind the
   * bar.
   */
  update(done: number, note?: string, doneBefore?: number): void;
  stop(): void;
}

/** What a progress shows. */
export interface Stage {
  what: string;
  total: number;
  unit: string;
  /** The moment at which the work began, as `performance.now()` tells it. */
  began: number;
}

/** Returns the seconds that the remaining units take. They are unknown as long as there is no speed. */
const secondsLeft = (units: number, speed: number | undefined) =>
  units === 0 ? 0 : speed === undefined ? undefined : Math.round(units / speed);

/** Shows a bar with the speed and the remaining time. */
export function barProgress({ what, total, unit, began }: Stage): Progress {
  const format = `${what} {bar} {value}/{total} {speed} ${unit}/s, {left} left {note}`;
  const options = { format, barCompleteChar: '█', barIncompleteChar: '░', hideCursor: true, autopaddingChar: ' ' };
  const bar = new cliProgress.SingleBar(options);
  const speedometer = new Speedometer(began);
  bar.start(total, 0, { speed: '-', left: '-', note: '' });
  return {
    update(done, note = '', doneBefore = 0) {
      const speed = speedometer.at(done, doneBefore);
      const seconds = secondsLeft(total - done, speed);
      const left = seconds === undefined ? '-' : cliProgress.Format.TimeFormat(seconds, options, 1).trim();
      bar.update(done, { speed: speed?.toFixed(2) ?? '-', left, note });
    },
    stop: () => bar.stop(),
  };
}

/** Prints about ten lines in all, which suit log files. */
export function lineProgress({ what, total, unit, began }: Stage): Progress {
  const speedometer = new Speedometer(began);
  let next = 0;
  return {
    update(done, note = '', doneBefore = 0) {
      const speed = speedometer.at(done, doneBefore);
      if (done < next && done !== total) return;
      next = done + Math.max(1, Math.ceil(total / 10));
      const seconds = secondsLeft(total - done, speed);
      const rate = `${speed?.toFixed(2) ?? '-'} ${unit}/s, ${seconds === undefined ? '-' : `${seconds}s`} left`;
      process.stderr.write(`${what} ${done}/${total} ${rate} ${note}\n`);
    },
    stop: () => {},
  };
}

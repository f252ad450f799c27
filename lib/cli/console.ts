import { SingleBar } from 'cli-progress';
import type { Profile, RecordedTime } from '../profile.js';

/** Operations that a profile shows; all of them with --json. */
const SHOWN_OPERATIONS = 15;

/** What a command tells its user: a progress bar on a terminal, one JSON line for machines. */
export class Console {
  constructor(readonly json: boolean) {}

  /** A line for people; nothing with --json. */
  say(line: string): void {
    if (!this.json) process.stdout.write(`${line}\n`);
  }

  warn(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  /** The command's result: `text` for people, `value` as one line of JSON for machines. */
  result(text: string, value: object): void {
    process.stdout.write(this.json ? `${JSON.stringify(value)}\n` : `${text}\n`);
  }

  /** Where the time went since the process began, on the side: a table, or one line of JSON. */
  profile({ stages, operations }: Profile): void {
    const seconds = performance.now() / 1000;
    if (this.json) {
      process.stderr.write(`${JSON.stringify({ profile: { seconds, stages, operations } })}\n`);
      return;
    }
    const line = (time: RecordedTime, shown: number) =>
      `${shown.toFixed(3).padStart(10)} s ${String(time.calls).padStart(7)} x  ${time.name}\n`;
    const engine = [...stages, ...operations].reduce((sum, { ownSeconds }) => sum + ownSeconds, 0);
    process.stderr.write(
      [
        `${seconds.toFixed(1)} s since the process began, ${engine.toFixed(1)} s of them in the engine: its stages (some hold others)\n`,
        ...stages.map((time) => line(time, time.seconds)),
        'and its operations, each without those that it calls\n',
        ...operations.slice(0, SHOWN_OPERATIONS).map((time) => line(time, time.ownSeconds)),
      ].join(''),
    );
  }

  /** A bar with speed and time left on a terminal; elsewhere about ten lines. `unit` names what is counted. */
  progress(what: string, total: number, unit: string): Progress {
    if (this.json) return { update: () => {}, stop: () => {} };
    return process.stderr.isTTY ? barProgress(what, total, unit) : lineProgress(what, total, unit);
  }
}

export interface Progress {
  /** `done` of `total`; `note` stands behind the bar. */
  update(done: number, note?: string): void;
  stop(): void;
}

function barProgress(what: string, total: number, unit: string): Progress {
  const format = `${what} {bar} {value}/{total} {speed} ${unit}/s, {eta_formatted} left {note}`;
  const bar = new SingleBar({ format, barCompleteChar: '█', barIncompleteChar: '░', hideCursor: true, etaBuffer: 50 });
  const start = performance.now();
  bar.start(total, 0, { speed: '-', note: '' });
  let first: number | undefined;
  return {
    update(done, note = '') {
      first ??= done - 1; // a resumed run does not begin at 0
      const speed = ((done - first) / (performance.now() - start)) * 1000;
      bar.update(done, { speed: speed.toFixed(2), note });
    },
    stop: () => bar.stop(),
  };
}

function lineProgress(what: string, total: number, unit: string): Progress {
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

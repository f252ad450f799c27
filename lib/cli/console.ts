import type { JobEvent, ProgressEvent } from '../jobs/job.js';
import type { Profile, RecordedTime } from '../profile.js';
import { barProgress, lineProgress, type Progress } from './progress.js';

/** A profile shows this number of operations; with --json it shows all. */
const SHOWN_OPERATIONS = 15;

export type ProgressMode = 'bar' | 'json' | 'none';

const VERBS = {
  ...{ train: 'training', sample: 'sampling', mask: 'masking', evaluate: 'evaluating' },
  ...{ fit: 'fitting', detect: 'scoring' },
  ...{ import: 'importing', export: 'exporting', check: 'checking', review: 'reading' },
} as const;

/** Returns the text behind the bar. Networks that are not trained, and those of an earlier process, have no loss. */
function noteOf({ row, detector, seed, network, loss }: ProgressEvent): string {
  const run = row === undefined ? [] : [`${row} seed ${seed} ${network === 'detector' ? detector : network}`];
  return [...run, ...(loss === undefined ? [] : [`loss ${loss.toFixed(4)}`])].join(' ');
}

/** Shows progress, warnings, results and errors of a command. */
export class Console {
  #shown: { what: string; progress: Progress } | undefined;
  /** The moment of the last progress, which is when the next stage may have begun. */
  #began = performance.now();

  constructor(
    readonly json: boolean,
    readonly mode: ProgressMode,
  ) {}

  /** Prints a line for people. With --json it prints nothing. */
  say(line: string): void {
    if (!this.json) process.stdout.write(`${line}\n`);
  }

  /** Shows an event on standard error. Warnings and notes appear in every mode, because they are no progress. */
  report(event: JobEvent): void {
    if (this.mode === 'json') process.stderr.write(`${JSON.stringify(event)}\n`);
    else if (event.event === 'pair')
      return; // The progress of the same pair follows.
    else if (event.event !== 'progress') this.#line(`${event.event}: ${event.message}`);
    else if (this.mode === 'bar') this.#show(event);
  }

  /** Prints the result: `text` for people, or with --json `value` as one line of JSON. */
  result(text: string, value: object): void {
    this.#stop();
    process.stdout.write(this.json ? `${JSON.stringify(value)}\n` : `${text}\n`);
  }

  error(line: string, error: { code: string; message: string }): void {
    this.#stop();
    process.stderr.write(`${line}\n`);
    if (this.json) process.stdout.write(`${JSON.stringify({ error })}\n`);
  }

  /** Prints the engine's time since the process began on standard error, as a table or as one line of JSON. */
  profile({ stages, operations }: Profile): void {
    this.#stop();
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
        `${seconds.toFixed(1)} s since the process began, ${engine.toFixed(1)} s of them in the engine. Its stages (some contain others):\n`,
        ...stages.map((time) => line(time, time.seconds)),
        'Its operations, each without those that it calls:\n',
        ...operations.slice(0, SHOWN_OPERATIONS).map((time) => line(time, time.ownSeconds)),
      ].join(''),
    );
  }

  #line(text: string): void {
    this.#stop(); // Otherwise the line would be printed inside the bar.
    process.stderr.write(`${text}\n`);
  }

  #show(event: ProgressEvent): void {
    const { stage, type, done, doneBefore, total, unit } = event;
    const what = type === undefined ? VERBS[stage] : `${VERBS[stage]} ${type}`;
    if (this.#shown?.what !== what) {
      this.#stop();
      const make = process.stderr.isTTY ? barProgress : lineProgress;
      this.#shown = { what, progress: make({ what, total, unit, began: this.#began }) };
    }
    this.#shown.progress.update(done, noteOf(event), doneBefore);
    this.#began = performance.now();
    if (done === total) this.#stop();
  }

  #stop(): void {
    this.#shown?.progress.stop();
    this.#shown = undefined;
  }
}

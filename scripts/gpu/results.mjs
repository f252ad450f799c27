// Keeps the results of a run. Each part is written as it ends, so that a run that is cut off leaves what was done.
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The log keeps this much of the end of a part's output. */
const LOGGED = 500_000;

export class Results {
  #folder;
  #head;
  #rows = [];

  /** Writes `results.jsonl`, `summary.txt` and `log.txt` into the folder. `head` describes the machine. */
  constructor(folder, head) {
    this.#folder = folder;
    this.#head = head;
    mkdirSync(folder, { recursive: true });
    for (const name of ['results.jsonl', 'summary.txt', 'log.txt']) rmSync(join(folder, name), { force: true });
    this.#write({ machine: head });
  }

  /** Adds a part: its name, result (`passed`, `failed`, `out of time`, `not run`), seconds, a line and its figures. */
  add(row, output = '') {
    const { beside } = row;
    const other = this.#rows.find(({ name, figures }) => name === beside && figures?.median_s !== undefined);
    if (other && row.figures) {
      const time = other.figures.median_s / row.figures.median_s;
      const memory = other.figures.peak_mib / row.figures.peak_mib;
      Object.assign(row, { time_ratio: time, memory_ratio: memory });
      row.line += `; ${beside} takes ${time.toFixed(2)} x its time, ${memory.toFixed(2)} x its memory`;
    }
    this.#rows.push(row);
    this.#write(row);
    appendFileSync(join(this.#folder, 'log.txt'), `=== ${row.name}: ${row.result}\n${output.slice(-LOGGED)}\n`);
    writeFileSync(join(this.#folder, 'summary.txt'), this.summary());
  }

  #write(row) {
    appendFileSync(join(this.#folder, 'results.jsonl'), `${JSON.stringify(row)}\n`);
  }

  get failed() {
    return this.#rows.filter(({ result }) => result === 'failed' || result === 'out of time').length;
  }

  /** Returns a table with a row for each part. */
  summary() {
    const width = Math.max(...this.#rows.map(({ name }) => name.length));
    const lines = this.#rows.map(({ name, result, seconds, line }) => {
      const time = seconds === undefined ? '' : `${seconds.toFixed(1)} s`;
      return `${name.padEnd(width)}  ${result.padEnd(11)}  ${time.padStart(8)}  ${line}`;
    });
    const of = (result) => this.#rows.filter((row) => row.result === result).length;
    const counts = ['passed', 'failed', 'out of time', 'not run'].map((result) => `${of(result)} ${result}`);
    return `${this.#head}\n\n${lines.join('\n')}\n\n${counts.join(', ')}\n`;
  }
}

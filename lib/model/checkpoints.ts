/** Manages the files of a training run beside its adapter: `<out>.jsonl` and `<stem>.checkpoint-<step>.safetensors`. */
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { namesIn, writeFileAtomic } from '../core/files.js';
import { appendJsonLine, jsonLines, readJsonLines } from '../core/json-files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { lockFile, type WriteLock } from '../core/write-lock.js';

/** A run keeps this number of checkpoints, the newest ones. */
const KEPT_CHECKPOINTS = 2;

/** One line of the log describes one step. */
export interface LogEntry {
  step: number;
  loss: number;
  /** In float16, this is the number of steps so far whose gradients overflowed. */
  skippedSteps?: number;
}

const logEntrySchema = z.looseObject({ step: z.int('expected an integer'), loss: z.number('expected a number') });

export class RunFiles {
  readonly log: string;
  readonly #stem: string;

  constructor(readonly out: string) {
    this.log = `${out}.jsonl`;
    this.#stem = out.replace(/\.safetensors$/, '');
  }

  checkpoint(step: number): string {
    return `${this.#stem}.checkpoint-${String(step).padStart(6, '0')}.safetensors`;
  }

  /** Returns the existing checkpoints, newest first. */
  async checkpoints(): Promise<{ step: number; file: string }[]> {
    const folder = dirname(this.out);
    const names = await namesIn(folder);
    const prefix = `${basename(this.#stem)}.checkpoint-`;
    const found = names.flatMap((name) => {
      const step = /^(\d+)\.safetensors$/.exec(name.startsWith(prefix) ? name.slice(prefix.length) : '')?.[1];
      return step === undefined ? [] : [{ step: Number(step), file: join(folder, name) }];
    });
    return found.sort((a, b) => b.step - a.step);
  }

  async prune(keep = KEPT_CHECKPOINTS): Promise<void> {
    for (const { file } of (await this.checkpoints()).slice(keep)) await rm(file, { force: true });
  }

  /** Locks the files of the run. Throws ERR_BUSY if another process writes them. */
  lock(): Promise<WriteLock> {
    return lockFile(this.out);
  }

  /** Removes all checkpoints, and the partial files of a killed process. */
  async removeCheckpoints(): Promise<void> {
    await this.prune(0);
    await this.removePartial();
  }

  /** Removes the partial files of a killed process. Files of another run may begin with the same name, so they stay. */
  async removePartial(): Promise<void> {
    const [adapter, stem] = [basename(this.out), basename(this.#stem)];
    await removePartialFiles(dirname(this.out), (name) => {
      const rest = name.startsWith(`${stem}.`) ? name.slice(stem.length) : '';
      return name === adapter || name === `${adapter}.jsonl` || /^\.(checkpoint|preview)-\d+\.\w+$/.test(rest);
    });
  }

  /** Keeps the lines of the log up to `step`, because later ones belong to steps that were lost. */
  async rewindLog(step: number): Promise<void> {
    const kept = step === 0 ? [] : (await this.readLog()).filter((entry) => entry.step <= step);
    await writeFileAtomic(this.log, jsonLines(kept));
  }

  /**
   * Returns the whole lines of the log. A killed process may leave part of a last line, which is ignored. Throws
   * ERR_FILE_ACCESS with the number of any other damaged line.
   */
  async readLog(): Promise<LogEntry[]> {
    const { lines } = await readJsonLines(this.log, logEntrySchema);
    return lines.map(({ value }) => value);
  }

  async appendLog(entry: LogEntry): Promise<void> {
    await appendJsonLine(this.log, entry);
  }
}
